package agent

import (
	"context"
	"errors"
	"slices"
	"strings"

	"cassini/agent/netconf"
	"cassini/agent/netns"
	"cassini/agent/translate/conntrack"
	"cassini/bpf"
	"cassini/model"
)

// Doctor looks at this kernel: which hook serves which fact, what is missing and
// what that costs. It attaches what an agent would attach, for a moment. An error
// says that this process may not look.
func Doctor(ctx context.Context) ([]model.Hook, error) {
	kernel, err := bpf.OpenTCP(bpf.Limits{UDPBytes: true})
	if errors.Is(err, bpf.ErrNotPermitted) {
		return nil, err
	}
	if err != nil {
		hooks := hooksInUse(probes{})
		for i := range hooks {
			hooks[i] = model.Hook{Fact: hooks[i].Fact, Lost: "everything", Reason: reason(err)}
		}
		return hooks, nil
	}
	p := probe(kernel, probeUnix(), probeTaps(), probeAccepts(), netns.ProbeEnter())
	p.bootstrap = kernel.ProbeBootstrap()
	p.sctp = probeSCTP(ctx, kernel)
	return hooksInUse(p), kernel.Close()
}

// probes are what keeps first choices from working; nil where nothing does.
type probes struct {
	bootstrap, cgroup2, ethtool, timers, udp, udpBytes, unsent, enter, traffic, conntrack, accepts error
	sctp                                                                                           sctpProbe
	unix                                                                                           unixProbe
	taps                                                                                           tapProbe
}

// probe asks this kernel for all but the bootstrap, without which no agent runs. unix is
// what became of Unix-domain sockets, taps of packet and raw ones, enter what netns.ProbeEnter said.
func probe(kernel *bpf.TCP, unix unixProbe, taps tapProbe, accepts, enter error) probes {
	return probes{
		cgroup2: bpf.ProbeCgroup2(), ethtool: netconf.ProbeEthtool(), timers: bpf.ProbeHeartbeats(),
		sctp: sctpProbe{captured: bpf.ErrNoSCTP}, // an agent looks when it begins to capture
		udp:  kernel.UDP(), udpBytes: kernel.UDPBytes(), unsent: kernel.Unsent(), unix: unix, taps: taps, accepts: accepts, enter: enter, traffic: kernel.ProbeTraffic(), conntrack: conntrack.Probe(),
	}
}

// hooksInUse lists the facts that the agent wants and the rung that serves each.
func hooksInUse(p probes) []model.Hook {
	hooks := []model.Hook{
		{Fact: "tcp connect, listen, established, close", Hook: "tp_btf/inet_sock_set_state", First: true},
		orLost(model.Hook{Fact: "tcp connect that fails at once: no route", Hook: "fexit: tcp_v4_connect, tcp_v6_connect, tcp_v4_pre_connect, tcp_v6_pre_connect", First: true},
			p.unsent, "", "attempts to where no route leads, or that this host's own routes or cgroups forbid"),
		acceptHook(p.accepts),
		orLost(model.Hook{Fact: "udp bind, first datagram, end", Hook: "cgroup v2 root: bind, post_bind, connect, sendmsg, recvmsg, sock_release; tp_btf/inet_sk_error_report", First: true},
			p.udp, "", "UDP services and their clients"),
		orLost(model.Hook{Fact: "bytes, retransmits and RTT of open TCP connections", Hook: "iter/bpf_map_elem over the table of connections", First: true},
			p.traffic, "tp_btf/inet_sock_set_state", "what a connection moves is told when it closes"),
		{Fact: "owner of accepted connections", Hook: "the listener on the address that was dialled", First: true},
		orLost(model.Hook{Fact: "sockets older than the agent", Hook: "iter/task_file, iter/tcp, iter/udp", First: true},
			p.bootstrap, "", "services and connections older than the agent"),
		{Fact: "process behind a socket", Hook: "the task that connects or listens", First: true},
		{Fact: "switch ports (LLDP, CDP, FDP)", Hook: "eBPF socket filter on packet sockets", First: true},
		{Fact: "interfaces, addresses, gateways", Hook: "rtnetlink notifications", First: true},
		{Fact: "bridges' forwarding tables, routes, routing rules", Hook: "rtnetlink notifications", First: true},
		{Fact: "other machines (ARP, neighbour discovery, DHCP)", Hook: "eBPF socket filters, rtnetlink's neighbour table", First: true},
		orLost(model.Hook{Fact: "other network namespaces of this host", Hook: "setns", First: true},
			p.enter, "none but the agent's own", "of containers with networks of their own: sockets older than the agent, interfaces, neighbors, addresses"),
		{
			Fact: "names that addresses were asked for as (DNS)", Hook: "a raw socket for each name server, with a filter", First: true,
			Lost: "answers over TCP, TLS and HTTPS",
		},
		orLost(model.Hook{Fact: "connections that this host translates (NAT)", Hook: "conntrack events, filtered in the kernel", First: true},
			p.conntrack, "", "which server behind a translated address answers"),
		orLost(model.Hook{Fact: "link settings", Hook: "ethtool over netlink, with its notifications", First: true},
			p.ethtool, "ethtool ioctls when a link changes", "a change of settings that no link notification tells"),
		orLost(model.Hook{Fact: "cgroup of a process", Hook: "cgroup v2 id and path", First: true},
			p.cgroup2, "cgroup v2 id", "the path of the cgroup, and so the systemd service of a process"),
		orLost(model.Hook{Fact: "neighbors' heartbeats", Hook: "eBPF socket filter with a timer for each neighbor", First: true},
			p.timers, "user space, with a guard for its own lateness", "each heartbeat wakes the agent"),
	}
	if !errors.Is(p.udpBytes, bpf.ErrWithoutUDPBytes) {
		hooks = append(hooks, orLost(model.Hook{Fact: "bytes of UDP (--udp-bytes)", Hook: "cgroup v2 root: every packet of a socket", First: true},
			p.udpBytes, "", "how much UDP services and their clients move"))
	}
	return slices.Concat(hooks, unixHooks(p.unix), sctpHooks(p.sctp, p.accepts), tapHooks(p.taps))
}

// memlock is what the eBPF library guesses of programs that are refused. Kernels on which Cassini
// runs charge a cgroup instead (Linux 5.11), so that it only leads astray.
const memlock = " (MEMLOCK may be too low, consider rlimit.RemoveMemlock)"

func reason(err error) string { return strings.ReplaceAll(err.Error(), memlock, "") }

// orLost is the first choice, or what is left of it when err keeps it away.
func orLost(first model.Hook, err error, instead, lost string) model.Hook {
	if err == nil {
		return first
	}
	return model.Hook{Fact: first.Fact, Hook: instead, Lost: lost, Reason: reason(err)}
}
