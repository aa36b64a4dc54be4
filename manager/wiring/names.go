package wiring

import (
	"net/netip"
	"slices"
	"strings"

	"cassini/model"
)

// sameSwitch says whether a name in a plan means a device: its name with or without its
// domain, its chassis, an address of its management, or the host that it is.
func sameSwitch(planned string, p model.Port) bool {
	d := p.Neighbor
	for _, name := range []string{d.SystemName, d.Chassis.ID, model.SwitchID(d.Chassis.ID), peerHost(p)} {
		if sameName(planned, name) {
			return true
		}
	}
	for _, m := range d.Management {
		if strings.EqualFold(planned, m.Address) {
			return true
		}
	}
	return false
}

// sameName compares names of devices. One without a domain means that in any.
func sameName(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	if strings.EqualFold(a, b) {
		return true
	}
	if x, y := mac(a), mac(b); x != "" || y != "" {
		return x == y
	}
	if isAddr(a) || isAddr(b) {
		return false
	}
	shortA, domainA, _ := strings.Cut(a, ".")
	shortB, domainB, _ := strings.Cut(b, ".")
	return strings.EqualFold(shortA, shortB) && (domainA == "" || domainB == "")
}

func isAddr(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

// mac is a hardware address as bare digits; "" for what is none: 00:1b:fc:00:00:0a,
// 001b.fc00.000a and 00-1B-FC-00-00-0A are the same.
func mac(s string) string {
	bare := strings.ToLower(strings.NewReplacer(":", "", "-", "", ".", "").Replace(s))
	if len(bare) != 12 || len(s) == 12 || strings.Trim(bare, "0123456789abcdef") != "" {
		return ""
	}
	return bare
}

// samePort says whether a name in a plan means a device's port: its identifier or
// description, or where it is an interface of a host, that.
func samePort(planned string, p model.Port) bool {
	for _, name := range []string{p.Neighbor.Port.ID, p.Neighbor.PortDescr, peerInterface(p)} {
		if sameInterface(planned, name) {
			return true
		}
	}
	return false
}

// sameInterface compares names of ports. Devices and people abbreviate the word before
// the number: Gi1/0/1 is GigabitEthernet1/0/1.
func sameInterface(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	if strings.EqualFold(a, b) {
		return true
	}
	if x := mac(a); x != "" {
		return x == mac(b)
	}
	wordA, numberA := cutNumber(a)
	wordB, numberB := cutNumber(b)
	if numberA == "" || numberA != numberB || min(len(wordA), len(wordB)) < 2 {
		return false
	}
	return strings.HasPrefix(wordA, wordB) || strings.HasPrefix(wordB, wordA)
}

// cutNumber cuts letters from the number behind them.
func cutNumber(s string) (word, number string) {
	i := 0
	for i < len(s) && ('a' <= s[i]|0x20 && s[i]|0x20 <= 'z') {
		i++
	}
	number = strings.TrimLeft(s[i:], " ")
	if number == "" || number[0] < '0' || number[0] > '9' {
		return "", ""
	}
	return strings.ToLower(s[:i]), number
}

// peerHost and peerInterface are the host and the interface that a cable ends in, where it
// does.
func peerHost(p model.Port) string {
	host, _, _ := strings.Cut(peer(p), "/")
	return host
}

func peerInterface(p model.Port) string {
	_, name, _ := strings.Cut(peer(p), "/")
	return name
}

func peer(p model.Port) string {
	rest, ok := strings.CutPrefix(p.PeerID, model.KindInterface+":")
	if !ok {
		return ""
	}
	return rest
}

// end is the far end of a cable as people call it.
func end(p model.Port) model.CableEnd {
	if host := peerHost(p); host != "" {
		return model.CableEnd{Switch: host, Port: peerInterface(p)}
	}
	e := model.CableEnd{Switch: p.Neighbor.SystemName, Port: p.Neighbor.Port.ID}
	if e.Switch == "" {
		e.Switch = p.Neighbor.Chassis.ID
	}
	if p.Neighbor.Port.Kind == "mac" && p.Neighbor.PortDescr != "" {
		e.Port = p.Neighbor.PortDescr
	}
	return e
}

// near is the end at the host: the interface as a plan calls it.
func near(p model.Port) string {
	if p.Netns != "" {
		return p.Interface + "@" + p.Netns
	}
	return p.Interface
}

// farKeys are the keys of all names of a far end, each once.
func farKeys(p model.Port) (keys []string) {
	d := p.Neighbor
	switches := []string{d.SystemName, d.Chassis.ID, peerHost(p)}
	for _, m := range d.Management {
		switches = append(switches, m.Address)
	}
	for _, sw := range switches {
		for _, port := range []string{d.Port.ID, d.PortDescr, peerInterface(p)} {
			if sw != "" && port != "" {
				keys = append(keys, farKey(sw, port))
			}
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// farKey is the same for all names that sameSwitch and sameInterface take for one.
func farKey(device, port string) string {
	device = strings.TrimPrefix(device, model.KindSwitch+":")
	if m := mac(device); m != "" {
		device = m
	} else if !isAddr(device) {
		device, _, _ = strings.Cut(device, ".")
	}
	digits := strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, port)
	return strings.ToLower(device) + "\x00" + digits
}
