"""Extensions' arguments as typed values: each knows its ranges and how to spell itself for a server."""
