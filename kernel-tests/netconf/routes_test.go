package netconf

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"cassini/model"
)

// routing takes a document of a route or a rule; called with mu held.
func (r *rig) routing(doc model.Document) bool {
	switch doc.Package {
	case model.PackageRoutes:
		takeInto(r, r.routes, doc)
	case model.PackageRules:
		takeInto(r, r.rules, doc)
	default:
		return false
	}
	r.told[doc.Package+" "+doc.Key]++
	return true
}

func takeInto[T any](r *rig, all map[string]T, doc model.Document) {
	delete(all, doc.Key)
	if doc.Gone() {
		return
	}
	var body T
	if err := doc.Decode(&body); err != nil {
		r.t.Errorf("document %s: %v", doc.Name, err)
	}
	all[doc.Key] = body
}

// ourRoutes writes the routes of a namespace as lines, sorted.
func (r *rig) ourRoutes(ns string) (lines []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, route := range r.routes {
		if route.Netns != ns {
			continue
		}
		var hops []string
		for _, h := range route.Hops {
			via := ""
			if h.Via.IsValid() {
				via = h.Via.String()
			}
			hops = append(hops, via+" "+h.Interface)
		}
		source := ""
		if route.Source.IsValid() {
			source = route.Source.String()
		}
		lines = append(lines, line(route.Type, route.Destination.String(), route.Table, route.Protocol, source, int(route.Metric), hops))
	}
	slices.Sort(lines)
	return lines
}

func line(kind, dst, table, protocol, source string, metric int, hops []string) string {
	slices.Sort(hops)
	return fmt.Sprintf("%s %s table %s proto %s src %q metric %d: %q", kind, dst, table, protocol, source, metric, hops)
}

// theirRoutes asks ip(8), and leaves out what Cassini leaves out.
func theirRoutes(t *testing.T, ns string) (lines []string) {
	t.Helper()
	type hop struct {
		Gateway, Dev string
		Flags        []string
	}
	all := make(map[string][]string) // hops by the rest: IPv6 lists each way of one route
	for family, any := range map[string]string{"-4": "0.0.0.0/0", "-6": "::/0"} {
		out, err := exec.Command("ip", "-n", ns, "-j", "-d", family, "route", "show", "table", "all").Output()
		if err != nil {
			t.Fatal(err)
		}
		var list []struct {
			Type, Dst, Table, Protocol, PrefSrc string
			Metric                              int
			Nexthops                            []hop
			hop
		}
		if err := json.Unmarshal(out, &list); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		for _, r := range list {
			table := cmp.Or(r.Table, "main")
			if table == "local" || r.Type == "multicast" || r.Type == "anycast" || r.Type == "local" || strings.HasPrefix(r.Dst, "fe80::") || strings.HasPrefix(r.Dst, "ff00::") {
				continue
			}
			dst := r.Dst
			if dst == "default" {
				dst = any
			} else if !strings.Contains(dst, "/") {
				dst += map[string]string{"-4": "/32", "-6": "/128"}[family]
			}
			ways := r.Nexthops
			if ways == nil && (r.Gateway != "" || r.Dev != "") {
				ways = []hop{r.hop}
			}
			rest := line(cmp.Or(r.Type, "unicast"), dst, table, r.Protocol, r.PrefSrc, r.Metric, nil)
			all[rest] = append(all[rest], []string{}...)
			for _, h := range ways {
				if slices.Contains(h.Flags, "dead") {
					continue // not in use
				}
				all[rest] = append(all[rest], h.Gateway+" "+h.Dev)
			}
		}
	}
	for rest, hops := range all {
		slices.Sort(hops)
		lines = append(lines, strings.TrimSuffix(rest, "[]")+fmt.Sprintf("%q", hops))
	}
	slices.Sort(lines)
	return lines
}

// After each change our routes are those that ip(8) tells, also where the kernel
// drops some without a word.
func TestRoutesAndRules(t *testing.T) {
	ns, far := namespace(t, "routes"), namespace(t, "far")
	for _, name := range []string{"eth0", "eth1"} {
		ip(t, "-n "+ns+" link add "+name+" type veth peer name "+name+" netns "+far)
		ip(t, "-n "+ns+" link set "+name+" up")
		ip(t, "-n "+far+" link set "+name+" up")
	}
	ip(t, "-n "+ns+" addr add 10.9.0.5/24 dev eth0")
	ip(t, "-n "+ns+" addr add 10.9.0.6/32 dev eth0")
	ip(t, "-n "+ns+" addr add 10.8.0.5/24 dev eth1")
	ip(t, "-n "+ns+" route add 10.99.0.0/16 via 10.9.0.1")
	r := start(t)
	for _, args := range []string{
		"route add 10.10.0.0/16 via 10.9.0.2 metric 50 proto static",
		"route add 10.11.0.0/16 nexthop via 10.9.0.2 nexthop via 10.8.0.2",
		"route add blackhole 10.12.0.0/16",
		"route add 10.13.0.0/16 via 10.9.0.2 src 10.9.0.6",
		"route add 10.14.0.0/16 via 10.8.0.2 table 1000",
		"route add default via 10.9.0.1",
		"route replace default via 10.8.0.1",
		"addr add 2001:db8::5/64 dev eth0 nodad",
		"route add 2001:db8:1::/48 via 2001:db8::1",
		"route append 2001:db8:1::/48 via 2001:db8::2",
		"route del 2001:db8:1::/48 via 2001:db8::1",
		"route del 10.10.0.0/16 via 10.9.0.2 metric 50",
		"addr del 10.9.0.6/32 dev eth0", // takes the route that names it along
		"link set eth1 down",            // takes its routes along
		"link set eth1 up",
		"link del eth1",
	} {
		ip(t, "-n "+ns+" "+args)
		var ours, theirs []string
		for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
			if ours, theirs = r.ourRoutes(ns), theirRoutes(t, ns); slices.Equal(ours, theirs) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("after %s: ours\n%s\nip tells\n%s", args, strings.Join(ours, "\n"), strings.Join(theirs, "\n"))
			}
		}
	}
	if stats := r.Stats(); stats.Resyncs != 0 { // in any namespace of this machine
		t.Logf("messages were lost, so this proves less: %+v", stats)
	}
	ip(t, "-n "+ns+" rule add from 10.9.0.0/24 fwmark 0x1/0xff lookup 1000 priority 77")
	const key = "inet/77/from 10.9.0.0/24 fwmark 0x1/0xff lookup 1000@"
	r.eventually("a rule", func() bool { return r.rules[key+ns].Priority == 77 && !r.rules[key+ns].Since.IsZero() })
	ip(t, "-n "+ns+" rule del priority 77")
	r.eventually("no rule", func() bool { _, there := r.rules[key+ns]; return !there })
	if _, there := r.rules["inet/32766/from all lookup main@"+ns]; there || !r.routes["main/10.99.0.0/16/0@"+ns].Since.IsZero() {
		t.Errorf("%+v, %+v", r.rules, r.routes)
	}
}

// eventually waits for something that is read with mu held.
func (r *rig) eventually(what string, ok func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		r.mu.Lock()
		done := ok()
		r.mu.Unlock()
		if done {
			return
		}
	}
	r.t.Fatalf("%s: never came", what)
}
