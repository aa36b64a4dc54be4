package netconf

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"cassini/model"
)

// tell asks ethtool(8) of a link: "Speed" and so on, by name.
func tell(t *testing.T, ns, name string) map[string]string {
	t.Helper()
	out, err := exec.Command("ip", "netns", "exec", ns, "ethtool", name).Output()
	if err != nil {
		t.Fatalf("ethtool %s: %v: %s", name, err, out)
	}
	all := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		if key, value, ok := strings.Cut(line, ":"); ok {
			all[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	return all
}

// What a driver tells is what ethtool(8) tells, and what somebody sets comes at once:
// no other message tells of it.
func TestLinkSettings(t *testing.T) {
	ns := namespace(t, "set")
	ip(t, "-n "+ns+" tuntap add tap0 mode tap")
	ip(t, "-n "+ns+" link add eth0 type veth peer name p0")
	ip(t, "-n "+ns+" link set eth0 up")
	ip(t, "-n "+ns+" link set p0 up")
	r := start(t)
	for _, name := range []string{"tap0", "eth0"} {
		i := r.expect(name+"@"+ns, "its driver", func(i model.Interface) bool { return i.Driver != "" && (name == "tap0" || i.Carrier == 1) })
		theirs := tell(t, ns, name)
		ours := map[string]string{
			"Duplex": strings.ToUpper(i.Duplex[:1]) + i.Duplex[1:], "Port": strings.ReplaceAll(i.Port, "twisted pair", "Twisted Pair"),
			"Auto-negotiation": map[bool]string{true: "on", false: "off"}[i.Autonegotiation],
		}
		if i.Carrier == 1 {
			ours["Speed"] = fmt.Sprintf("%dMb/s", i.Speed)
		}
		for key, value := range ours {
			if theirs[key] != value {
				t.Errorf("%s: %s is %q, ethtool tells %q", name, key, value, theirs[key])
			}
		}
	}
	before := r.Stats().Messages
	if out, err := exec.Command("ip", "netns", "exec", ns, "ethtool", "-s", "tap0", "speed", "100", "duplex", "half").CombinedOutput(); err != nil {
		t.Fatalf("ethtool -s: %v: %s", err, out)
	}
	r.expect("tap0@"+ns, "another duplex", func(i model.Interface) bool { return i.Duplex == "half" })
	if after := r.Stats().Messages; after == before {
		t.Error("nothing told of it")
	}
}
