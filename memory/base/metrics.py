"""The figures everybody watches, by their fixed names; counted in files, so that `/metrics` sees every process."""

from prometheus_client import Counter, Gauge, Histogram

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)
FLUSH_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)

chapter_generation_time = Histogram("chapter_generation_time_seconds", "Chapters written in one go", buckets=SECONDS)
run_duration = Histogram("run_duration_seconds", "From start to end of a run", ["kind", "state"], buckets=SECONDS)
step_attempts = Counter("step_attempts", "Attempts of steps by how they ended", ["outcome"])
fallbacks = Counter("fallbacks", "Steps that fell back", ["kind", "step"])

llm_first_token = Histogram("llm_first_token_seconds", "Request to first token", ["model"], buckets=SECONDS)
llm_duration = Histogram("llm_duration_seconds", "Request to end", ["model"], buckets=SECONDS)
llm_tokens = Counter("llm_tokens", "Tokens by direction", ["model", "direction"])
llm_cost = Counter("llm_cost_usd", "Known cost in USD", ["model"])
llm_errors = Counter("llm_errors", "Failed requests", ["provider", "model", "code"])
# What was seen last counts, whoever saw it: the horse that paused a model is gone when another one finds it back.
breaker_state = Gauge("breaker_state", "1 while a model rests", ["model"], multiprocess_mode="mostrecent")

queue_length = Gauge("queue_length", "Runs that wait", ["queue"], multiprocess_mode="mostrecent")
queue_age = Gauge("queue_age_seconds", "How long the oldest waits", ["queue"], multiprocess_mode="mostrecent")
runs_open = Gauge("runs_open", "Open runs", ["state"], multiprocess_mode="mostrecent")
followers_open = Gauge("followers_open", "Sockets and streams that follow", multiprocess_mode="livesum")
event_flush = Histogram("event_flush_seconds", "One flush of all streams", buckets=FLUSH_SECONDS)
redis_memory = Gauge("redis_memory_bytes", "Memory of Redis", multiprocess_mode="mostrecent")
http_request = Histogram("http_request_seconds", "Requests", ["route", "status"], buckets=SECONDS)
cache_hits = Counter("cache_hits", "What was asked of a cache and found", ["cache"])
cache_misses = Counter("cache_misses", "What was asked of a cache and had to be made", ["cache"])
errors = Counter("errors", "Errors by code", ["code"])
