package model

import (
	"path"
	"slices"
	"strings"
	"time"
)

// Ack is the body of a PackageAcks document: somebody has taken an incident on.
type Ack struct {
	By    string    `json:"by"`
	At    time.Time `json:"at"`
	Until time.Time `json:"until,omitzero"` // zero: as long as it is open
	Why   string    `json:"why,omitempty"`
	// Tenant is whose operator it was; "" is one of the whole estate.
	Tenant string `json:"tenant,omitempty"`
}

// Holds says whether it still counts at a moment.
func (a *Ack) Holds(now time.Time) bool {
	return a != nil && (a.Until.IsZero() || now.Before(a.Until))
}

// Silence is the body of a PackageSilences document: incidents that nobody wants to be
// told of for a while. An empty field matches everything; at least one is not empty.
type Silence struct {
	ID       string      `json:"id"`
	Kind     VerdictKind `json:"kind,omitempty"`
	Severity string      `json:"severity,omitempty"`
	// Subject is a pattern of path.Match, for hosts and nodes: "web-*",
	// "service:web-17/nginx:*". One without a colon means hosts and all that is theirs.
	Subject string    `json:"subject,omitempty"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Until   time.Time `json:"until"`
	Why     string    `json:"why"`
	// Tenant is whose incidents it covers; "" is everybody's.
	Tenant string `json:"tenant,omitempty"`
}

// Holds says whether it is in force at a moment.
func (s Silence) Holds(now time.Time) bool { return now.Before(s.Until) }

// Covers says whether an incident is one that it silences: one of several subjects is
// told as long as any of those that are not back is not covered.
func (s Silence) Covers(i Incident) bool {
	if s.Kind != "" && s.Kind != i.Kind || s.Severity != "" && s.Severity != i.Severity {
		return false
	}
	if s.Subject == "" {
		return true
	}
	return !slices.ContainsFunc(i.Subjects, func(subject string) bool {
		back := i.State == IncidentOpen && slices.Contains(i.Back, subject)
		return !back && !s.matches(subject)
	})
}

// MarkSilenced marks incidents that a silence covers: those that are open, by one that is
// in force, and those that are over, by one that was when they ended. tenantOf is whose a
// host is: a tenant's silence covers incidents of its own hosts alone. Nil says that all
// that is in the list is the tenant's.
func MarkSilenced(list []Incident, silences []Silence, now time.Time, tenantOf func(host string) string) {
	for n := range list {
		i, at := &list[n], now
		if i.State != IncidentOpen {
			at = i.Closed
		}
		for _, s := range silences {
			if s.Holds(at) && !at.Before(s.At) && s.Covers(*i) && s.within(*i, tenantOf) {
				i.Silenced = s.ID
				break
			}
		}
	}
}

// within says whether an incident is of hosts of the silence's tenant alone.
func (s Silence) within(i Incident, tenantOf func(host string) string) bool {
	if s.Tenant == "" || tenantOf == nil {
		return true
	}
	return !slices.ContainsFunc(i.Subjects, func(subject string) bool { return tenantOf(SubjectHost(subject)) != s.Tenant })
}

// matches compares a subject: a node as it is, and as the host that it is of.
func (s Silence) matches(subject string) bool {
	for _, name := range []string{subject, SubjectHost(subject)} {
		if ok, err := path.Match(s.Subject, name); err == nil && ok && name != "" {
			return true
		}
		// Nodes have slashes in them, which a star of path.Match stops at.
		if n := len(s.Subject); n > 1 && s.Subject[n-1] == '*' && len(name) >= n-1 && name[:n-1] == s.Subject[:n-1] {
			return true
		}
	}
	return false
}

// NodeHost is the host in the identifier of a node that is of one; "" for others.
func NodeHost(id string) string {
	if !strings.Contains(id, ":") {
		return ""
	}
	kind, _, _ := strings.Cut(id, ":")
	switch kind {
	case KindHost, KindService, KindProcess, KindInterface:
		return SubjectHost(id)
	}
	return ""
}

// SubjectHost is the host that a subject of an incident is, or that its node is of; "" for
// one of none.
func SubjectHost(subject string) string {
	kind, rest, isNode := strings.Cut(subject, ":")
	if !isNode {
		return subject
	}
	switch kind {
	case KindHost:
		return rest
	case KindService, KindProcess, KindInterface, KindEndpoint:
		if host, _, ok := strings.Cut(rest, "/"); ok {
			return host
		}
		return ""
	case KindIP, KindSwitch, KindSwitchPort, KindMAC, KindRing, KindUnknownHost:
		return ""
	}
	return subject // a zone may have a colon in its name
}

// ReceiverStats are the figures of one receiver of alerts since the start.
type ReceiverStats struct {
	Name    string    `json:"name"`
	Tenant  string    `json:"tenant,omitempty"` // whose incidents it is told of; none: the whole estate's
	Sent    uint64    `json:"sent"`
	Failed  uint64    `json:"failed"`  // attempts
	Pending int       `json:"pending"` // changes of incidents that are not delivered
	Oldest  time.Time `json:"oldest,omitzero"`
	Firing  int       `json:"firing"` // incidents that it was told of, and not of their end
	// Success is when it last took something.
	Success time.Time `json:"success,omitzero"`
	Error   string    `json:"error,omitempty"` // of the last attempt, if that failed
}
