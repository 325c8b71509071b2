"""Stacks that start side by side choose different ports."""

from deploy.local.ports import Ports


def test_a_chosen_port_is_no_other_stack_s_before_it_is_released() -> None:
    ports = Ports({})
    chosen = ports.take("kafka")
    assert Ports({"kafka": chosen}).take("kafka") != chosen, "the server has not bound it yet"
    ports.release()
    assert Ports({"kafka": chosen}).take("kafka") == chosen
