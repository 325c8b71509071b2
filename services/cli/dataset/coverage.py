"""How broad some rows are: the topics of each subject, and how many different problems there are."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from shared.text.clusters import Clusters
from shared.text.words import SIMILAR

PAPER = {"rows": 9225, "topics": 1179}
"""Of the dataset of the CHIMERA paper."""
MEANING = f"different: problems that share {SIMILAR:.0%} of their pairs of words, numbers and names aside, count once"


class Coverage:
    """Rows by subject and topic. A problem and its variants are one cluster, of the subject and of each topic."""

    def __init__(self) -> None:
        self._subjects: defaultdict[str, Clusters] = defaultdict(Clusters)
        self._topics: defaultdict[str, defaultdict[str, Clusters]] = defaultdict(lambda: defaultdict(Clusters))

    def add(self, row: Mapping[str, Any]) -> None:
        """Take in one row."""
        self._subjects[row["subject"]].add(row["problem"])
        self._topics[row["subject"]][row["topic"]].add(row["problem"])

    @property
    def topics(self) -> int:
        """Topics that have rows."""
        return sum(map(len, self._topics.values()))

    def document(self) -> dict[str, dict[str, Any]]:
        """By subject, the one with most rows first."""
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
