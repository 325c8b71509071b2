"""Which task a request is, by its response format or by the JSON Schema in its prompt; and who plays it."""

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
"""By the name of the JSON schema asked for; in a prompt, by its title, whatever the case."""


def reply_to(stage: Stage) -> Reply:
    """Answer a request. Raises Unplayable for a schema, a subject or a prompt the simulator has no part for."""
    asked = stage.request.response_format
    name = asked.json_schema.name if asked.json_schema else _role_of(stage)
    if name is None and asked.type == "text":
        return play_solve(stage)
    if name not in ROLES:
        raise Unplayable(f"the simulator plays the schemas {', '.join(ROLES)}, not {name}")
    return ROLES[name](stage)


def _role_of(stage: Stage) -> str | None:
    title = schema_title(stage.request.user_text)
    return title.lower() if title else None
