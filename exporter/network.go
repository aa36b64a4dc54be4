package exporter

import (
	"github.com/prometheus/client_golang/prometheus"

	"cassini/model"
)

// networkCollector shows what the agent hears of the network.
type networkCollector struct {
	source func() *model.NetworkStats
	limit  int

	namespaces, messages, badMessages, resyncs metric
	links, neighbors, frames, malformed        metric
	dropped                                    metric
	up, carrier, speed, mtu, changes, info     metric
	neighbor, hidden, seen, unkept, clients    metric
	announced, misannounced, unannounced       metric
	routes, unkeptRoutes                       metric
	translations                               translationMetrics
}

func newNetworkCollector(source func() *model.NetworkStats, limit int) *networkCollector {
	return &networkCollector{
		source:       source,
		limit:        limit,
		namespaces:   gauge("network_namespaces", "Network namespaces that are listened to."),
		messages:     counter("rtnetlink_messages_total", "Messages of rtnetlink that were read."),
		badMessages:  counter("rtnetlink_malformed_total", "Messages of rtnetlink that could not be decoded."),
		resyncs:      counter("rtnetlink_resyncs_total", "Readings anew of all interfaces, after the kernel had more to tell than the buffer holds. Nothing is lost by them but time."),
		links:        gauge("discovery_links", "Interfaces with a carrier on which LLDP, CDP and FDP are listened for."),
		neighbors:    gauge("discovery_neighbors", "Neighbors that are heard by LLDP, CDP and FDP."),
		frames:       counter("discovery_frames_total", "LLDP, CDP and FDP frames that were read, by protocol.", "protocol"),
		malformed:    counter("discovery_malformed_total", "Frames among them that could not be decoded.", "protocol"),
		dropped:      counter("discovery_dropped_total", "LLDP, CDP and FDP frames that were not taken, by reason.", "reason"),
		up:           gauge("interface_up", "Whether an interface is set up by the administrator: 1 or 0.", "interface", "netns"),
		carrier:      gauge("interface_carrier", "Whether it has a carrier.", "interface", "netns"),
		speed:        gauge("interface_speed_bytes_per_second", "Speed of its link; 125,000,000 is 1 Gbit/s. Absent when it is not known.", "interface", "netns"),
		mtu:          gauge("interface_mtu_bytes", "Its MTU.", "interface", "netns"),
		changes:      counter("interface_carrier_changes_total", "How often its carrier came or went; a flap counts two.", "interface", "netns"),
		info:         gauge("interface_info", "1, with how it is set.", "interface", "netns", "kind", "address", "duplex", "driver", "master"),
		neighbor:     gauge("neighbor_first_seen_timestamp_seconds", "When a neighbor that is heard now was first heard, with what it says of itself.", "interface", "netns", "protocol", "chassis", "port", "system_name"),
		seen:         gauge("seen_addresses", "Addresses of other machines that are remembered, by the kernel's table of neighbours or by what machines tell everyone."),
		unkept:       counter("seen_addresses_refused_total", "Addresses and DHCP clients beyond the 1024 that are kept of an interface, or the 8192 of a host. The first to come are kept."),
		routes:       gauge("routes", "Routes and routing rules that are kept, of all network namespaces."),
		unkeptRoutes: counter("routes_not_kept_total", "Messages of routes beyond the 1024 that are kept of a namespace, and of those that routing daemons bring, other than default ones."),
		clients:      gauge("dhcp_clients", "Other machines that were heard asking everyone for an address."),
		announced:    counter("announcements_total", "What machines told everyone and was news, by protocol: ARP, IPv6 neighbour discovery, DHCP.", "protocol"),
		misannounced: counter("announcements_malformed_total", "Announcements among them that could not be decoded, or that no honest machine sends.", "protocol"),
		unannounced:  counter("announcements_held_back_total", "Announcements that the kernel side held back, by reason.", "reason"),
		translations: newTranslationMetrics(),
		hidden:       gauge("interfaces_hidden", "Interfaces beyond the limit of a scrape, which is 500: they are counted here and not shown."),
	}
}

// DefaultMaxInterfaces is how many interfaces a scrape shows; each takes six series,
// and one for each neighbor.
const DefaultMaxInterfaces = 500

func (c *networkCollector) name() string { return "network" }

func (c *networkCollector) metrics() []metric {
	return append([]metric{
		c.namespaces, c.messages, c.badMessages, c.resyncs, c.links, c.neighbors, c.frames, c.malformed, c.dropped,
		c.up, c.carrier, c.speed, c.mtu, c.changes, c.info, c.neighbor, c.hidden, c.seen, c.clients, c.unkept, c.announced, c.misannounced, c.unannounced, c.routes, c.unkeptRoutes,
	}, c.translations.metrics()...)
}

func (c *networkCollector) collect(ch chan<- prometheus.Metric) bool {
	stats := c.source()
	if stats == nil {
		return false
	}
	net, frames := stats.Net, stats.Frames
	c.namespaces.send(ch, float64(net.Namespaces))
	c.messages.send(ch, float64(net.Messages))
	c.badMessages.send(ch, float64(net.Malformed))
	c.resyncs.send(ch, float64(net.Resyncs))
	c.routes.send(ch, float64(net.Routes))
	c.unkeptRoutes.send(ch, float64(net.UnkeptRoutes))
	c.seen.send(ch, float64(stats.Strangers.Addresses))
	c.clients.send(ch, float64(stats.Strangers.Clients))
	c.unkept.send(ch, float64(stats.Strangers.Refused))
	c.links.send(ch, float64(frames.Links))
	c.neighbors.send(ch, float64(frames.Neighbors))
	sendAll(ch, c.frames, frames.Frames)
	sendAll(ch, c.malformed, frames.Malformed)
	sendAll(ch, c.dropped, map[string]uint64{"limited": frames.Limited, "refused": frames.Refused, "lost": frames.Lost})
	sendAll(ch, c.announced, stats.Announced.Heard)
	sendAll(ch, c.misannounced, stats.Announced.Malformed)
	sendAll(ch, c.unannounced, map[string]uint64{"known": stats.Announced.Known, "limited": stats.Announced.Limited})
	shown := stats.Interfaces[:min(len(stats.Interfaces), c.limit)]
	there := make(map[[2]string]bool)
	for _, i := range shown {
		there[[2]string{i.Name, i.Netns}] = true
		c.collectInterface(ch, i)
	}
	for _, n := range stats.Neighbors {
		if there[[2]string{n.Interface, n.Netns}] {
			c.neighbor.send(ch, float64(n.FirstSeen.UnixNano())/1e9, n.Interface, n.Netns, n.Protocol, n.Chassis.ID, n.Port.ID, n.SystemName)
		}
	}
	c.translations.send(ch, stats.Translations)
	c.hidden.send(ch, float64(len(stats.Interfaces)-len(shown)))
	return true
}

func (c *networkCollector) collectInterface(ch chan<- prometheus.Metric, i model.Interface) {
	c.up.send(ch, truth(i.Up), i.Name, i.Netns)
	c.carrier.send(ch, float64(i.Carrier), i.Name, i.Netns)
	if i.Speed != 0 {
		c.speed.send(ch, float64(i.Speed)*1e6/8, i.Name, i.Netns)
	}
	c.mtu.send(ch, float64(i.MTU), i.Name, i.Netns)
	c.changes.send(ch, float64(i.CarrierChanges), i.Name, i.Netns)
	c.info.send(ch, 1, i.Name, i.Netns, i.Kind, i.Address, i.Duplex, i.Driver, i.Master)
}
