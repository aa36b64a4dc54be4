package srv

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

const (
	prefix  = "srv:"
	service = "_cassini._tcp."
	// MaxTargets is how many targets of an answer are used; the first by priority and
	// weight are.
	MaxTargets = 8
	maxName    = 253 // bytes of a name (RFC 1035, 2.3.4), as it is written
)

// Target is one place where a manager may be.
type Target struct {
	Host             string // without the dot at its end
	Port             uint16
	Priority, Weight uint16 // lower priorities first; heavier ones more often
	// Addr is where that is, if multicast DNS said so; else the host is looked up.
	Addr netip.Addr
}

// String is HOST:PORT.
func (t Target) String() string { return net.JoinHostPort(t.Host, strconv.Itoa(int(t.Port))) }

// same says whether two targets are one place.
func (t Target) same(u Target) bool { return t.Host == u.Host && t.Port == u.Port }

// Domain takes srv:DOMAIN apart; srv:local is found by multicast DNS. ok is false for what has another form, such as a URL; an
// error wraps ErrInvalid.
func Domain(manager string) (domain string, ok bool, err error) {
	if len(manager) < len(prefix) || !strings.EqualFold(manager[:len(prefix)], prefix) {
		return "", false, nil
	}
	domain = strings.ToLower(strings.TrimSuffix(manager[len(prefix):], "."))
	if !validName(domain) || len(service)+len(domain) > maxName || strings.HasPrefix(domain, "_") {
		return "", true, fmt.Errorf("%w: want srv: and a domain name, such as srv:example.org; %s is put before it", ErrInvalid, service)
	}
	return domain, true, nil
}

// validName says whether a name is one that a host can have: letters, digits, hyphens and
// underscores in labels of 1 to 63 bytes, and no IP address.
func validName(name string) bool {
	if name == "" || len(name) > maxName {
		return false
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" || label[0] == '-' {
			return false
		}
	}
	return true
}

// usable are the targets of an answer that a manager can have, each place once, and how
// many records were left out.
func usable(records []*net.SRV) (targets []Target, refused int, err error) {
	if len(records) == 1 && records[0].Target == "." {
		return nil, 1, ErrNotOffered
	}
	for _, r := range records {
		t := Target{Host: strings.ToLower(strings.TrimSuffix(r.Target, ".")), Port: r.Port, Priority: r.Priority, Weight: r.Weight}
		if t.Port == 0 || !validName(t.Host) || slices.ContainsFunc(targets, t.same) {
			refused++
			continue
		}
		targets = append(targets, t)
	}
	if len(targets) == 0 {
		return nil, refused, fmt.Errorf("%w in %d records: want the name of a host, and a port above 0", ErrNoTarget, len(records))
	}
	return targets, refused, nil
}

// order is the order in which to try targets (RFC 2782, "Usage rules"). pick gives a
// number from 0 to below n.
func order(targets []Target, pick func(n int) int) []Target {
	targets = slices.Clone(targets)
	// Within a priority those without weight come first: they are chosen by a 0 alone.
	slices.SortStableFunc(targets, func(a, b Target) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.Weight, b.Weight))
	})
	for i := range targets {
		end := i
		for end < len(targets) && targets[end].Priority == targets[i].Priority {
			end++
		}
		at := i + choose(targets[i:end], pick)
		chosen := targets[at]
		copy(targets[i+1:at+1], targets[i:at])
		targets[i] = chosen
	}
	return targets
}

// choose picks one of a priority. Where none has weight all are alike.
func choose(group []Target, pick func(n int) int) int {
	sum := 0
	for _, t := range group {
		sum += int(t.Weight)
	}
	if sum == 0 {
		return pick(len(group))
	}
	at := pick(sum + 1)
	for i, t := range group {
		if at -= int(t.Weight); at <= 0 {
			return i
		}
	}
	return len(group) - 1
}
