"""The contracts between the stages. Whoever needs another stage receives one of these as a constructor argument.

Methods marked `async` are coroutine functions (and return without suspending when the answer is in memory); all others
answer at once, on the reactor's thread unless the docstring says "thread-safe". Failures are `errors.Refusal`s; anything else
is a fault of ours.
"""
