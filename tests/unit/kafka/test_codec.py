"""What the idempotency store keeps of messages."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.kafka.codec import Message, pack, unpack

BYTES = st.binary() | st.text().map(str.encode)
MESSAGES = st.lists(
    st.builds(
        Message,
        name=st.text(),
        key=st.none() | BYTES,
        value=st.none() | BYTES,
        headers=st.lists(st.tuples(st.text(), BYTES)),
    )
)


@given(MESSAGES)
@settings(deadline=None)
def test_packed_messages_are_json_and_come_back_as_they_were(messages: list[Message]) -> None:
    packed = pack(messages)
    assert unpack(packed) == messages
    assert packed in (json.dumps(json.loads(packed), ensure_ascii=False).encode(errors="replace"), _ascii(packed))


def _ascii(packed: bytes) -> bytes:
    return json.dumps(json.loads(packed)).encode()
