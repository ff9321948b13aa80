from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """One registry a bridge, so that two bridges in one process do not meet."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.received = self._counter("messages_received", "Messages taken from the broker", "qos")
        self.best_effort_dropped = self._counter("best_effort_dropped", "QoS 0 messages not taken: inbox full")
        self.overflows = self._counter("inbox_overflows", "Connections renewed: more came than the inbox holds")
        self.results = self._counter("results", "Messages answered by the backend", "state")
        self.batches = self._counter("batches", "Batch requests", "outcome")
        self.receipts = self._counter("receipts", "Receipt messages passed on", "outcome")
        self.acks = self._counter("acks", "Acknowledgements to the broker", "outcome")
        self.unrecordable = self._counter("unrecordable", "Single messages that the backend finds too large")
        self.connections = self._counter("connections", "Connections to the broker", "protocol")
        self.publishes_refused = self._counter("publishes_refused", "Publishes that the broker refused")
        self.downlink = self._counter("downlink_messages", "Downlink messages published", "outcome")
        self.access_changes = self._counter("access_changes", "Changes of whom the broker lets in", "outcome")
        self.access_in_step = self._gauge("access_in_step", "1 while the broker lets in whom the backend has")
        self.inbox = self._gauge("inbox_messages", "Messages waiting in the inbox")
        self.connected = self._gauge("connected", "1 while connected to the broker")
        self.proven = self._gauge("subscription_proven", "1 while the subscription was seen to deliver")
        self.degraded = self._gauge("degraded", "1 while the backend does not answer")
        self.batch_s = Histogram("bridge_batch_seconds", "Time of a batch request", registry=self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"bridge_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"bridge_{name}", text, registry=self.registry)
