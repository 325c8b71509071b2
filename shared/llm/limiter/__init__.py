"""Limits the calls of this process that are in flight at one endpoint.

    async with limiter.permit() as permit:        wait for a slot
        with permit.request():                    one request; reports its outcome
            permit.first_token()
        await permit.wait_to_retry(busy)          after a refusal, before the same request again

aimd.py             finds the limit
circuit_breaker.py  stops calls to an endpoint where all calls fail
limiter.py          the slots, their queue, and the permit of one call
vllm_load.py        reads the load of a vLLM server
"""
