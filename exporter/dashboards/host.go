package dashboards

// host is one host, or a few: its links, its place in rings, what its agent hears.
func host() Dashboard {
	return newDashboard("cassini-host", "Cassini / Host",
		"The chosen hosts: what runs there, their interfaces and switch ports, their place in rings.",
		section{"Agent", agentPanels()},
		section{"Rings", placePanels()},
		section{"Network", networkPanels()},
		section{"What is heard", heardPanels()},
	)
}

func agentPanels() []Panel {
	return []Panel{
		stat(about{"Uptime", "Time since Cassini was started there.", seconds}, neutral(), 6,
			query{`time() - process_start_time_seconds{instance=~"$host"} and on (job, instance) cassini_build_info`, "{{instance}}"}),
		stat(about{"Addresses that are listened on", "By programs of the host; absent for an agent that discovers nothing.", count}, neutral(), 6, query{`cassini_listeners{instance=~"$host"}`, "{{instance}}"}),
		stat(about{"Documents on their way", "Documents that wait for the manager.", count}, above(100, 1000), 6, query{`cassini_outbox_documents{instance=~"$host"}`, "{{instance}}"}),
		stat(about{"Manager within reach", "Whether the last delivery succeeded. An agent with nothing to say does not try.", "bool_yes_no"}, redBelow(1), 6, query{`cassini_outbox_connected{instance=~"$host"}`, "{{instance}}"}),
		table(about{"Versions", "The Cassini that runs, and who waits for heartbeats there.", count}, 12, []string{"revision", "Value"},
			column{"", `cassini_build_info{instance=~"$host"} * on (job, instance) group_left (watch) cassini_heartbeat_watch_info`, count, nil}),
		table(about{"Hooks", "Which hook of the kernel serves which fact. An empty hook says that nothing serves it.", count}, 12, nil,
			column{"", `cassini_hook_info{instance=~"$host"}`, count, nil}),
	}
}

func placePanels() []Panel {
	return []Panel{
		table(about{"Places", "Rings that the host is on. An epoch behind the manager's is mended within seconds.", count}, 12, nil,
			column{"Epoch", `sum by (instance, ring) (cassini_ring_place_epoch{instance=~"$host"})`, "none", nil},
			column{"Interval", `sum by (instance, ring) (cassini_heartbeat_interval_seconds{instance=~"$host"})`, seconds, nil},
			column{"Suspect after", `sum by (instance, ring) (cassini_heartbeat_silence_limit_seconds{instance=~"$host"})`, seconds, nil}),
		table(about{"Neighbors", "Whom the host hears, and how late.", count}, 12, nil,
			column{"Silent", `sum by (instance, ring, from) (cassini_heartbeat_silence_seconds{instance=~"$host"})`, seconds, above(2, 3)},
			column{"Late, 99%", `histogram_quantile(0.99, sum by (instance, ring, from) (rate(cassini_heartbeat_lateness_seconds{instance=~"$host"}[$__rate_interval])))`, seconds, above(0.5, 2)},
			column{"Heartbeats", `sum by (instance, ring, from) (cassini_heartbeats_total{instance=~"$host"})`, count, nil}),
		curves(about{"Silence of neighbors", "Time since each neighbor's latest heartbeat.", seconds}, above(2, 3), 12, query{`cassini_heartbeat_silence_seconds{instance=~"$host"}`, "{{from}} to {{instance}}"}),
		curves(about{"Verdicts of the host", "What it reported, by kind.", count}, calm(), 12,
			query{`sum by (instance, kind) (increase(cassini_ring_verdicts_total{instance=~"$host"}[$__rate_interval]))`, "{{instance}}: {{kind}}"}),
	}
}

func networkPanels() []Panel {
	const named = "{{instance}} {{netns}} {{interface}}"
	return []Panel{
		table(about{"Interfaces", "As the kernel tells them. The carrier is 1 where something is plugged in.", count}, 24, []string{"Value"},
			column{"", `cassini_interface_info{instance=~"$host"}`, count, nil},
			column{"Carrier", `cassini_interface_carrier{instance=~"$host"} * on (job, instance, interface, netns) group_left (kind, address, duplex, driver, master) cassini_interface_info`, count, redBelow(1)}),
		table(about{"Neighbors by LLDP, CDP and FDP", "Switch ports and others at the ends of cables, since when they are heard.", count}, 24, nil,
			column{"Since", `cassini_neighbor_first_seen_timestamp_seconds{instance=~"$host"} * 1000`, "dateTimeAsIso", nil}),
		curves(about{"Carrier changes", "A flap counts two.", count}, calm(), 8, query{`increase(cassini_interface_carrier_changes_total{instance=~"$host"}[$__rate_interval])`, named}),
		curves(about{"Speed of links", "Absent where it is not known.", "Bps"}, calm(), 8, query{`cassini_interface_speed_bytes_per_second{instance=~"$host"}`, named}),
		curves(about{"Routes and namespaces", "Routes and routing rules that are kept, and network namespaces that are listened to.", count}, calm(), 8,
			query{`cassini_routes{instance=~"$host"}`, "{{instance}} routes"}, query{`cassini_network_namespaces{instance=~"$host"}`, "{{instance}} namespaces"}),
	}
}

func heardPanels() []Panel {
	return []Panel{
		curves(about{"Discovery frames", "LLDP, CDP and FDP frames that were read, and those that could not be decoded or were not taken.", packets}, calm(), 8,
			query{`sum by (protocol) (rate(cassini_discovery_frames_total{instance=~"$host"}[$__rate_interval]))`, "{{protocol}}"},
			query{`sum(rate(cassini_discovery_malformed_total{instance=~"$host"}[$__rate_interval]))`, "malformed"},
			query{`sum by (reason) (rate(cassini_discovery_dropped_total{instance=~"$host"}[$__rate_interval]))`, "{{reason}}"}),
		curves(about{"Announcements", "What machines told everyone and was news: ARP, IPv6 neighbour discovery, DHCP.", packets}, calm(), 8,
			query{`sum by (protocol) (rate(cassini_announcements_total{instance=~"$host"}[$__rate_interval]))`, "{{protocol}}"},
			query{`sum by (reason) (rate(cassini_announcements_held_back_total{instance=~"$host"}[$__rate_interval]))`, "held back: {{reason}}"}),
		curves(about{"Other machines", "Addresses and DHCP clients of other machines that are remembered.", count}, calm(), 8,
			query{`cassini_seen_addresses{instance=~"$host"}`, "{{instance}} addresses"}, query{`cassini_dhcp_clients{instance=~"$host"}`, "{{instance}} DHCP clients"}),
	}
}
