package dashboards

// overhead is what Cassini itself takes, and what it loses.
func overhead() Dashboard {
	return newDashboard("cassini-overhead", "Cassini / Agent overhead",
		"What agents and managers take of their machines, what they lose, and how full their tables are.",
		section{"Process", processPanels()},
		section{"Datagrams of rings", datagramPanels()},
		section{"Capture", capturePanels()},
		section{"Delivery", deliveryPanels()},
		section{"Manager", managerPanels()},
	)
}

// processPanels ask for what the client library shows. Its largest quantile is called 1
// or 1.0, as the server has asked for text or for protobuf.
func processPanels() []Panel {
	own := func(expr string) string { return expr + ` and on (job, instance) cassini_build_info` }
	return []Panel{
		curves(about{"CPU", "Seconds of CPU for each second.", ratio}, yellowAbove(0.02), 8, query{own(`rate(process_cpu_seconds_total{instance=~"$host"}[$__rate_interval])`), "{{instance}}"}),
		curves(about{"Resident memory", "Of the process; the kernel's maps come on top of it, see below.", octets}, calm(), 8, query{own(`process_resident_memory_bytes{instance=~"$host"}`), "{{instance}}"}),
		curves(about{"Heap", "Memory of live objects and of those that wait for the collector.", octets}, calm(), 8, query{own(`go_memstats_heap_inuse_bytes{instance=~"$host"}`), "{{instance}}"}),
		curves(about{"Longest pause of the collector", "Of the last pauses. Heartbeats are checked in the kernel and do not wait for it.", seconds}, calm(), 8, query{own(`go_gc_duration_seconds{quantile=~"1|1.0", instance=~"$host"}`), "{{instance}}"}),
		curves(about{"Goroutines and files", "Both should be flat.", count}, calm(), 8, query{own(`go_goroutines{instance=~"$host"}`), "{{instance}} goroutines"}, query{own(`process_open_fds{instance=~"$host"}`), "{{instance}} files"}),
		curves(about{"Scrapes", "How long the slowest collector takes, by host.", seconds}, yellowAbove(1), 8, query{`max by (instance) (cassini_collector_duration_seconds{instance=~"$host"})`, "{{instance}}"}),
	}
}

func datagramPanels() []Panel {
	perSecond := func(metric, by string) string {
		return `sum by (` + by + `) (rate(` + metric + `{instance=~"$host"}[$__rate_interval]))`
	}
	return []Panel{
		curves(about{"Sent", "By host; a member of one ring sends at most 2.2 a second while nothing is lost.", packets}, yellowAbove(10), 8, query{perSecond("cassini_heartbeat_datagrams_sent_total", "instance"), "{{instance}}"}),
		curves(about{"Not sent", "Datagrams that the kernel did not take.", packets}, redAbove(1), 8, query{perSecond("cassini_heartbeat_datagrams_failed_total", "instance"), "{{instance}}"}),
		curves(about{"Received, by outcome", "What the watch did with them, in the kernel where it can be. docs/metrics.md explains the outcomes.", packets}, calm(), 8,
			query{perSecond("cassini_heartbeat_datagrams_received_total", "outcome"), "{{outcome}}"},
			query{perSecond("cassini_heartbeat_control_received_total", "outcome"), "control: {{outcome}}"}),
	}
}

func capturePanels() []Panel {
	return []Panel{
		curves(about{"Events", "What the kernel side told, by kind. Repeated connections are counted in the kernel and wake nobody.", perSec}, calm(), 8,
			query{`sum by (kind) (rate(cassini_capture_events_total{instance=~"$host"}[$__rate_interval]))`, "{{kind}}"}),
		curves(about{"TCP state changes and UDP flows", "Folded in the kernel, by kind.", perSec}, calm(), 8, query{`sum by (kind) (rate(cassini_capture_transitions_total{instance=~"$host"}[$__rate_interval]))`, "{{kind}}"}),
		curves(about{"Drops, resyncs, evictions", "Drops by reason, see docs/metrics.md for what each one loses. Resyncs and evictions lose nothing.", count}, redAbove(1), 8,
			query{`sum by (reason) (increase(cassini_capture_drops_total{instance=~"$host"}[$__rate_interval]))`, "{{reason}}"},
			query{`sum(increase(cassini_capture_resyncs_total{instance=~"$host"}[$__rate_interval]))`, "resyncs"},
			query{`sum(increase(cassini_capture_evictions_total{instance=~"$host"}[$__rate_interval]))`, "evictions"}),
		curves(about{"Fill of tables", "Entries by what the table can hold.", ratio}, above(0.7, 0.9), 12,
			query{`cassini_map_entries{instance=~"$host"} / cassini_map_entries_limit`, "{{instance}} {{map}}"}),
		curves(about{"Memory of kernel maps", "What the kernel charges for them. Absent where it does not tell.", octets}, calm(), 12, query{`sum by (instance) (cassini_map_bytes{instance=~"$host"})`, "{{instance}}"}),
	}
}

func deliveryPanels() []Panel {
	return []Panel{
		curves(about{"Outbox", "How full it is.", ratio}, above(0.1, 0.8), 8, query{`cassini_outbox_documents{instance=~"$host"} / cassini_outbox_documents_limit`, "{{instance}}"}),
		curves(about{"Documents accepted", "Made durable by the manager. A host where nothing changes sends none.", perSec}, calm(), 8, query{`rate(cassini_outbox_accepted_total{instance=~"$host"}[$__rate_interval])`, "{{instance}}"}),
		curves(about{"Retries and losses", "Deliveries that were tried again, and documents that never reached the manager.", count}, calm(), 8,
			query{`sum by (instance) (increase(cassini_outbox_retries_total{instance=~"$host"}[$__rate_interval]))`, "{{instance}} retries"},
			query{`sum by (instance, reason) (increase(cassini_outbox_dropped_total{instance=~"$host"}[$__rate_interval]))`, "{{instance}} lost: {{reason}}"}),
	}
}

func managerPanels() []Panel {
	return []Panel{
		curves(about{"Store", "Its size on disk, and the part that new entries will reuse.", octets}, calm(), 8,
			query{`sum(cassini_store_file_bytes)`, "file"}, query{`sum(cassini_store_free_bytes)`, "free"}),
		curves(about{"Log", "Entries written, replaced by the next one of their row, and removed by retention.", perSec}, calm(), 8,
			query{`sum(rate(cassini_store_appended_total[$__rate_interval]))`, "appended"},
			query{`sum(rate(cassini_store_thinned_total[$__rate_interval]))`, "thinned"},
			query{`sum(rate(cassini_store_expired_total[$__rate_interval]))`, "expired"}),
		curves(about{"Datagrams of the manager", "A healthy estate sends and asks nothing.", packets}, calm(), 8,
			query{`sum(rate(cassini_keeper_datagrams_sent_total[$__rate_interval]))`, "sent"},
			query{`sum(rate(cassini_keeper_datagrams_failed_total[$__rate_interval]))`, "not sent"},
			query{`sum by (outcome) (rate(cassini_keeper_control_received_total[$__rate_interval]))`, "received: {{outcome}}"}),
		curves(about{"Requests, by route", "What is asked of the API; the 15 busiest.", perSec}, calm(), 8,
			query{`topk(15, sum by (route, status) (rate(cassini_api_requests_total[$__rate_interval])))`, "{{route}} {{status}}"}),
		curves(about{"Time of requests, by route", "In the mean, the 15 slowest. Streams count when they end and are left out.", seconds}, yellowAbove(1), 8,
			query{`topk(15, sum by (route) (rate(cassini_api_request_seconds_total{route!~".*events.*"}[$__rate_interval])) / (sum by (route) (rate(cassini_api_requests_total{route!~".*events.*"}[$__rate_interval])) > 0))`, "{{route}}"}),
		curves(about{"Event streams", "Open ones, and those that were cut off because their reader was too slow.", count}, calm(), 8,
			query{`sum(cassini_event_streams)`, "open"}, query{`sum(increase(cassini_event_streams_lagged_total[$__rate_interval]))`, "cut off"}),
	}
}
