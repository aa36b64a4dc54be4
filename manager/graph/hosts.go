package graph

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"cassini/manager/identity"
	"cassini/manager/moment"
	"cassini/model"
)

// host is a machine whose agent reported.
type host struct {
	name      string
	firstSeen moment.Moment
	known     moment.Moment // the same by the manager's clock
	heard     moment.Moment // when the manager had its newest document
	boots     []string      // before that of identity, the newest last
	lastSeen  moment.Moment
	identity  *model.Identity
	os        *model.OS
	places    []*place
	described []described // by documents of listeners
	ifaces    []*iface    // by key
	neighbors []*neighbor // by key
	ended     int         // of services
	reading   *reading    // of counters; nil before one was told
}

// services are all that listen or listened on the host.
func (h *host) services() iter.Seq[*service] {
	return func(yield func(*service) bool) {
		for _, p := range h.places {
			for _, s := range p.services {
				if !yield(s) {
					return
				}
			}
		}
	}
}

func (g *Graph) seeHost(doc *Decoded, e *events) {
	h := g.telling
	if h == nil || h.name != doc.Host { // mostly many documents of one host come after each other
		h = g.hosts[doc.Host]
	}
	if g.telling = h; h == nil {
		h = &host{name: doc.Host, firstSeen: moment.Of(doc.Time), known: moment.Of(e.at)}
		g.hosts[doc.Host], g.telling = h, h
		if _, n := model.CutNamesake(doc.Host); n > 1 {
			g.numbered[doc.Host] = true
		}
		g.touchHost(doc.Host)
		e.add(model.EventHostSeen, model.HostID(doc.Host), doc.Host+" reports for the first time")
	}
	at := moment.Of(doc.Time)
	h.heard, h.firstSeen, h.lastSeen = moment.Of(e.at), min(h.firstSeen, at), max(h.lastSeen, at)
}

func (g *Graph) applyIdentity(doc *Decoded, e *events) bool {
	h := g.hosts[doc.Host]
	if doc.Gone() {
		g.forgetMachine(h)
		return true
	}
	var now model.Identity
	if !take(doc, &now) {
		return false
	}
	if before := h.identity; before != nil {
		if what := g.identityChange(h, *before, now); what != "" {
			e.add(model.EventHostChanged, model.HostID(doc.Host), doc.Host+" "+what)
		}
		h.remember(before.BootID, now.BootID)
		if before.MachineID != now.MachineID {
			g.dropMachine(before.MachineID, h.name)
		}
	}
	if now.Hostname == h.name {
		now.Hostname = h.name // one text
	}
	g.texts.word(&now.Agent)
	h.identity = &now
	g.unsumHost(h.name)
	g.identified(h, e.at)
	return true
}

func (g *Graph) identityChange(h *host, before, now model.Identity) string {
	macs := g.devices(h.name)
	// Interfaces are told in documents of their own, which may come before or after.
	switch identity.Became(identity.Of(before, macs), identity.Of(now, macs), h.boots) {
	case identity.Reinstalled:
		return fmt.Sprintf("was installed anew: its machine-id is %s instead of %s, on the same machine", now.MachineID, before.MachineID)
	case identity.Replaced:
		return fmt.Sprintf("has another machine-id: %s instead of %s", now.MachineID, before.MachineID)
	case identity.Restored:
		return "went back to an earlier boot, of " + now.BootTime.UTC().Format(time.RFC3339) + ": a snapshot was restored"
	case identity.Rehosted:
		return fmt.Sprintf("runs on another machine or board: DMI UUID %s instead of %s", now.DMI, before.DMI)
	}
	switch {
	case before.BootID != now.BootID:
		return "was booted at " + now.BootTime.UTC().Format(time.RFC3339)
	case before.Agent != now.Agent:
		return fmt.Sprintf("has agent %s instead of %s", now.Agent, before.Agent)
	case !before.AgentStart.Equal(now.AgentStart):
		return "restarted its agent"
	case before.Hostname != now.Hostname:
		return fmt.Sprintf("is called %s instead of %s", now.Hostname, before.Hostname)
	}
	return ""
}

func (g *Graph) applyOS(doc *Decoded, e *events) bool {
	h := g.hosts[doc.Host]
	if doc.Gone() {
		h.os = nil
		g.unsumHost(h.name)
		return true
	}
	var now model.OS
	if !take(doc, &now) {
		return false
	}
	if before := h.os; before != nil {
		switch {
		case before.Kernel != now.Kernel:
			e.add(model.EventHostChanged, model.HostID(doc.Host), fmt.Sprintf("%s runs kernel %s instead of %s", doc.Host, now.Kernel, before.Kernel))
		case before.Name != now.Name:
			e.add(model.EventHostChanged, model.HostID(doc.Host), fmt.Sprintf("%s runs %s instead of %s", doc.Host, now.Name, before.Name))
		}
	}
	h.os = g.texts.os(now)
	g.unsumHost(h.name)
	return true
}

func (h *host) attrs() model.Attrs {
	a := make(model.Attrs, mostAttrs)
	a["name"], a["first_seen"], a["last_seen"] = h.name, h.firstSeen.Time(), h.lastSeen.Time()
	if id := h.identity; id != nil {
		set(a, "hostname", id.Hostname)
		set(a, "machine_id", id.MachineID)
		set(a, "dmi_uuid", id.DMI)
		set(a, "boot_id", id.BootID)
		set(a, "boot_time", id.BootTime.UTC())
		set(a, "agent_version", id.Agent)
		set(a, "agent_start", id.AgentStart.UTC())
	}
	if os := h.os; os != nil {
		set(a, "os", os.Name)
		set(a, "os_id", os.ID)
		set(a, "os_version", os.Version)
		set(a, "kernel", os.Kernel)
		set(a, "arch", os.Arch)
	}
	return a
}

// set adds an attribute that has a value.
func set[T comparable](a model.Attrs, key string, value T) {
	var zero T
	if value != zero {
		a[key] = value
	}
}

// HostNames are the hosts whose agents reported, in order.
func (g *Graph) HostNames() []string {
	g.mu.RLock()
	defer g.mu.RUnlock()
	names := sortedKeys(g.hosts)
	slices.SortFunc(names, natural)
	return names
}
