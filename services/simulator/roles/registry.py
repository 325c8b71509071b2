"""Chooses the task of a request, by its response format or by the JSON Schema in its prompt."""

from collections.abc import Callable

from services.simulator.recognition import schema_title
from services.simulator.roles.draft import play_draft
from services.simulator.roles.grade import play_grade
from services.simulator.roles.judgement import play_judgement
from services.simulator.roles.reply import Reply, Stage, Unplayable
from services.simulator.roles.same_problem import play_same
from services.simulator.roles.solve import play_solve
from services.simulator.roles.topics import play_topics

ROLES: dict[str, Callable[[Stage], Reply]] = {
    "topics": play_topics,
    "draft": play_draft,
    "judgement": play_judgement,
    "grade": play_grade,
    "same": play_same,
}
"""Task by the name of the requested JSON schema, or by the title of the schema in a prompt, in any case."""


def reply_to(stage: Stage) -> Reply:
    """Answer a request. Raises Unplayable for an unknown schema, subject or kind of prompt."""
    response_format = stage.request.response_format
    name = response_format.json_schema.name if response_format.json_schema else _role_of(stage)
    if name is None and response_format.type == "text":
        return play_solve(stage)
    if name not in ROLES:
        raise Unplayable(f"the simulator plays the schemas {', '.join(ROLES)}, not {name}")
    return ROLES[name](stage)


def _role_of(stage: Stage) -> str | None:
    title = schema_title(stage.request.user_text)
    return title.lower() if title else None
