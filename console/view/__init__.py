"""Views: pure functions from a scene (picture, link, moment) and a size to rows of spans."""
