"""An approval: the run waits for a person, and holds nothing while it does.

`dagdeck approvals` lists what waits; `dagdeck answer approval_demo@latest sign_off approve --param limit=20` answers.
In the console it is `A` on the task, or on its run. After eight hours "reject" is taken.
"""

from dagdeck import Param, approval, dag, shell, task


@task
def propose():
    return {"amount": 1200}


@task
def book(answer):
    """The answer is the approval's result: what was chosen, the form, by whom and when."""
    print(f"{answer['option']} by {answer['by']}, up to {answer['params']['limit']}")


@dag(tags=["approvals"], owner="samples")
def approval_demo():
    """Propose, ask, book; whatever is answered, somebody is told."""
    answer = approval(
        "sign_off",
        "Book this month?",
        params={"limit": Param(10, type="integer", minimum=1, maximum=100, description="how many entries")},
        timeout="8h",
        default="reject",
        on_reject="skip",
    )
    propose() >> answer
    book(answer) >> shell("tell", "echo done", trigger_rule="all_done")
