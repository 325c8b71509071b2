"""Selects the task of a request by its response format or by the JSON Schema in its prompt."""

from collections.abc import Callable

from services.simulator.recognition import schema_title
from services.simulator.roles.adjudication import answer_adjudication
from services.simulator.roles.draft import answer_draft
from services.simulator.roles.grade import answer_grade
from services.simulator.roles.judgement import answer_judgement
from services.simulator.roles.reply import Reply, TaskInput, UnsupportedRequest
from services.simulator.roles.same_problem import answer_same
from services.simulator.roles.solve import answer_solve
from services.simulator.roles.topics import answer_topics

ROLES: dict[str, Callable[[TaskInput], Reply]] = {
    "topics": answer_topics,
    "draft": answer_draft,
    "judgement": answer_judgement,
    "adjudication": answer_adjudication,
    "grade": answer_grade,
    "same": answer_same,
}
"""Task by the name of the requested JSON schema, or by the title of the schema in a prompt, in any case."""


def reply_to(task: TaskInput) -> Reply:
    """Answer a request. Raises UnsupportedRequest for an unknown schema, subject or kind of prompt."""
    response_format = task.request.response_format
    name = response_format.json_schema.name if response_format.json_schema else _role_of(task)
    if name is None and response_format.type == "text":
        return answer_solve(task)
    if name not in ROLES:
        raise UnsupportedRequest(f"the simulator supports the schemas {', '.join(ROLES)}, not {name}")
    return ROLES[name](task)


def _role_of(task: TaskInput) -> str | None:
    title = schema_title(task.request.user_text)
    return title.lower() if title else None
