"""The coverage of rows: topics of each subject, and distinct problems."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from shared.text.clusters import Clusters, Sketch, make_sketch
from shared.text.words import TEMPLATE_SIMILARITY

PAPER = {"rows": 9225, "topics": 1179}
"""The dataset of the CHIMERA paper."""
MEANING = (
    f"different: problems that share {TEMPLATE_SIMILARITY:.0%} of their word pairs, without numbers and names, "
    "count once"
)


class Coverage:
    """Clusters of similar problems, by subject and by topic."""

    def __init__(self) -> None:
        self._subjects: defaultdict[str, Clusters] = defaultdict(Clusters)
        self._topics: defaultdict[str, defaultdict[str, Clusters]] = defaultdict(lambda: defaultdict(Clusters))

    def add(self, row: Mapping[str, Any], sketch: Sketch | None = None) -> None:
        """Add one row; without the sketch of its problem it is made."""
        sketch = sketch or make_sketch(row["problem"])
        self._subjects[row["subject"]].add_sketch(sketch)
        self._topics[row["subject"]][row["topic"]].add_sketch(sketch)

    @property
    def topics(self) -> int:
        """Number of topics that have rows."""
        return sum(map(len, self._topics.values()))

    def document(self) -> dict[str, dict[str, Any]]:
        """Return the figures by subject, the largest first."""
        by_rows = sorted(self._subjects, key=lambda name: (-sum(self._subjects[name].sizes), name))
        return {name: self._subject(name) for name in by_rows}

    def _subject(self, name: str) -> dict[str, Any]:
        sizes, topics = self._subjects[name].sizes, self._topics[name]
        return {
            "rows": sum(sizes),
            "topics": len(topics),
            "clusters": len(sizes),
            "largest_cluster": max(sizes),
            "clusters_of_a_topic": sum(len(one.sizes) for one in topics.values()) / len(topics),
            "by_topic": {
                topic: {"rows": sum(one.sizes), "clusters": len(one.sizes)} for topic, one in sorted(topics.items())
            },
        }
