package translate

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"cassini/bpf"
	"cassini/model"
)

// tracked counts what conntrack(8) lists in a namespace, by who answers and to whom.
func tracked(t *testing.T, ns, port string) map[string]int {
	t.Helper()
	reply := regexp.MustCompile(`dport=` + port + ` .*?src=(\S+) dst=(\S+) sport=(\d+)`)
	counts := make(map[string]int)
	for line := range strings.Lines(run(t, "", inside(ns, "sh", "-c", "conntrack -L -p tcp 2>/dev/null")...)) {
		if m := reply.FindStringSubmatch(line); m != nil {
			counts[fmt.Sprintf("%s:%s for %s", m[1], m[3], m[2])]++
		}
	}
	return counts
}

// estate is a client behind a router with two servers behind it, and rules of nftables in
// the router.
type estate struct{ client, router, one, two string }

func build(t *testing.T, rules string) estate {
	t.Helper()
	e := estate{space(t, "client"), space(t, "router"), space(t, "one"), space(t, "two")}
	wire(t, e.client, "eth0", "10.81.0.9", e.router, "c0", "10.81.0.1")
	wire(t, e.one, "eth0", "10.81.1.7", e.router, "s1", "10.81.1.1")
	wire(t, e.two, "eth0", "10.81.2.8", e.router, "s2", "10.81.2.1")
	for ns, gateway := range map[string]string{e.client: "10.81.0.1", e.one: "10.81.1.1", e.two: "10.81.2.1"} {
		run(t, "", "ip", "-n", ns, "route", "add", "default", "via", gateway)
	}
	run(t, "", inside(e.router, "sysctl", "-qw", "net.ipv4.ip_forward=1")...)
	run(t, rules, inside(e.router, "nft", "-f", "-")...)
	server(t, e.one, "0.0.0.0:8080")
	server(t, e.two, "0.0.0.0:8080")
	return e
}

const (
	balance = `table ip nat {
	chain pre {
		type nat hook prerouting priority -100
		ip daddr 10.81.0.1 tcp dport 80 dnat to numgen inc mod 2 map { 0 : 10.81.1.7 . 8080, 1 : 10.81.2.8 . 8080 }
	}
	chain post {
		type nat hook postrouting priority 100
		%s
	}
}`
	masquerade = `oifname { "s1", "s2" } masquerade`
)

// expect compares edges with what answered the client and what conntrack lists.
func expect(t *testing.T, r *rig, e estate, seenAs map[string]string, times int) {
	t.Helper()
	answers := dial(t, e.client, "10.81.0.1:80", times)
	truth := tracked(t, e.router, "80")
	var got map[string]model.DependencyView
	defer func() {
		if t.Failed() {
			t.Logf("edges: %+v", got)
		}
	}()
	// The client's own count is shared out by what is known of translations: its sum says
	// nothing of whether the last flow was heard.
	r.wait(fmt.Sprintf("an edge to each that answered, %v", answers), func() bool {
		got = r.dependencies("translate.test@" + e.client)
		if len(got) == 0 {
			got = r.dependencies("translate.test")
		}
		for at, n := range answers {
			if got[at].Connections != uint64(n) || len(got[at].SeenBy) != 2 {
				return false
			}
		}
		return true
	})
	for at, n := range answers {
		d := got[at]
		if d.Failed != 0 {
			t.Errorf("%s: %d connections failed", at, d.Failed)
		}
		if len(d.Dialled) != 1 || d.Dialled[0].String() != "10.81.0.1:80" || d.Client.Addr.String() != "10.81.0.9" {
			t.Errorf("%s: dialled %v by %v", at, d.Dialled, d.Client.Addr)
		}
		if listed := truth[at+" for "+seenAs[at]]; listed != n {
			t.Errorf("conntrack lists %d connections to %s for %s of %d: %v", listed, at, seenAs[at], n, truth)
		}
	}
	if len(got) != len(answers) {
		t.Errorf("%d edges: %+v", len(got), got)
	}
}

// A client of an address that a router balances over two servers has an edge to each, with
// the connections that each answered.
func TestBalancedByRouter(t *testing.T) {
	for _, c := range []struct {
		name, rule string
		seenAs     map[string]string
	}{
		{"DNAT", "", map[string]string{"10.81.1.7:8080": "10.81.0.9", "10.81.2.8:8080": "10.81.0.9"}},
		{"DNAT and masquerading", masquerade, map[string]string{"10.81.1.7:8080": "10.81.1.1", "10.81.2.8:8080": "10.81.2.1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := build(t, fmt.Sprintf(balance, c.rule))
			r := start(t)
			r.listening(4)
			expect(t, r, e, c.seenAs, 41)
		})
	}
}

// What the client's own host translates on the way out, to another host and to itself.
func TestTranslatedOnTheClientsHost(t *testing.T) {
	e := build(t, fmt.Sprintf(balance, ""))
	run(t, `table ip nat {
	chain out {
		type nat hook output priority -100
		ip daddr 192.0.2.80 tcp dport 80 dnat to 10.81.2.8:8080
		ip daddr 192.0.2.81 tcp dport 80 redirect to :8081
	}
}`, inside(e.client, "nft", "-f", "-")...)
	server(t, e.client, "0.0.0.0:8081")
	r := start(t)
	r.listening(4)
	for address, at := range map[string]string{"192.0.2.80:80": "10.81.2.8:8080", "192.0.2.81:80": "127.0.0.1:8081"} {
		if answers := dial(t, e.client, address, 5); answers[at] != 5 {
			t.Fatalf("%s was answered by %v", address, answers)
		}
		r.wait("the edge to "+at, func() bool {
			d := r.dependencies("translate.test")[at]
			return d.Connections == 5 && len(d.SeenBy) == 2 && len(d.Dialled) == 1 && d.Dialled[0].String() == address
		})
	}
}

// Bytes of UDP count on the edge that was asked for, whatever address their packets bear when
// they leave.
func TestBytesOfTranslatedDatagrams(t *testing.T) {
	e := build(t, fmt.Sprintf(balance, ""))
	run(t, `table ip nat {
	chain out {
		type nat hook output priority -100
		ip daddr 192.0.2.53 udp dport 53 dnat to 10.81.2.8:5353
	}
}`, inside(e.client, "nft", "-f", "-")...)
	serving(t, e.two, "double", "10.81.2.8:5353")
	r := startWith(t, bpf.Limits{UDPBytes: true})
	r.listening(4)
	const times = 5
	run(t, "", inside(e.client, os.Args[0], "child", "ask", "192.0.2.53:53", strconv.Itoa(times))...)
	r.wait("the edge with all bytes, seen from both ends", func() bool {
		d := r.dependencies("translate.test")["10.81.2.8:5353"]
		return len(d.SeenBy) == 2 && d.Connections == 2 && d.BytesSent == 2*times*question && d.BytesReceived == 2*d.BytesSent
	})
}

// Connections that begin while the agent starts count once, whether it finds them or hears of
// them.
func TestBegunAsTheAgentStarts(t *testing.T) {
	e := build(t, fmt.Sprintf(balance, ""))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		// By ports of their own: of two connections by one, which the kernel may give again ten seconds
		// later, conntrack would list the later alone.
		const times, first, theKernels = 50, 1024, 32768
		for port := first; ctx.Err() == nil && port+times <= theKernels; port += times {
			command := inside(e.client, os.Args[0], "child", "dial", "10.81.0.1:80", strconv.Itoa(times), strconv.Itoa(port))
			_ = exec.Command(command[0], command[1:]...).Run()
		}
	}()
	defer func() { stop(); <-ended }()
	there := func() (n uint64) {
		for _, of := range tracked(t, e.router, "80") {
			n += uint64(of)
		}
		return n
	}
	for there() == 0 {
		time.Sleep(time.Millisecond)
	}
	r := start(t)
	counted := func() uint64 {
		found, begun := r.flows(e.router)
		return found + begun
	}
	r.wait("some that were there, and some that began", func() bool {
		found, begun := r.flows(e.router)
		return found > 0 && begun > 100
	})
	stop()
	<-ended
	all := there() // which conntrack keeps for two minutes
	r.wait("all of them", func() bool { return counted() >= all })
	dial(t, e.client, "10.81.0.1:80", 1) // told after the others would have been
	r.wait("another", func() bool { return counted() > all })
	if n := counted(); n != all+1 {
		t.Errorf("%d flows were counted of %d", n, all+1)
	}
}

// Connections that are there before the agent are found; those that are not translated are
// never passed on, though the kernel tells of them.
func TestWhatWasThereAndWhatIsNotTranslated(t *testing.T) {
	e := build(t, fmt.Sprintf(balance, ""))
	const before = 10
	dial(t, e.client, "10.81.0.1:80", before)
	r := start(t)
	r.wait("what conntrack still lists", func() bool {
		found, begun := r.flows(e.router)
		return found == before && begun == 0
	})
	if answers := dial(t, e.client, "10.81.1.7:8080", 20); answers["10.81.1.7:8080"] != 20 {
		t.Fatalf("answered by %v", answers)
	}
	dial(t, e.client, "10.81.0.1:80", 1) // told after the others would have been
	r.wait("the one that is translated", func() bool { _, begun := r.flows(e.router); return begun > 0 })
	if found, begun := r.flows(e.router); found != before || begun != 1 || r.translate.Stats().Malformed != 0 {
		t.Errorf("%d flows were found, want %d; %d were told of, want one: %+v", found, before, begun, r.translate.Stats())
	}
}
