package graph

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"cassini/model"
)

// client is what one host heard of a machine that asked for an address.
type client struct {
	name model.Name
	host string
	model.DHCP
}

// server is a DHCP server that one host heard of.
type server struct {
	host string
	model.DHCPServer
}

func (g *Graph) applyClient(doc *Decoded, e *events) bool {
	c := &client{name: doc.Name, host: doc.Host}
	if !doc.Gone() && (!take(doc, &c.DHCP) || c.MAC == "" || c.Interface == "") {
		return false
	}
	g.topology++
	if before := g.clients[doc.Name]; before != nil {
		g.dropClient(before)
	}
	if doc.Gone() {
		return true
	}
	fresh := len(g.seenBy.byMAC[c.MAC]) == 0 && len(g.askedBy.byMAC[c.MAC]) == 0 && !g.hasMAC(c.MAC)
	g.clients[doc.Name] = c
	g.askedBy.add(c.MAC, c.at(), c)
	if g.built != nil {
		g.built.addClient(c)
	}
	forgetOldest(g, g.clients, func(c *client) time.Time { return c.Changed }, func(n model.Name) { g.dropClient(g.clients[n]) })
	if fresh {
		_, label, _ := strings.Cut(c.at(), ":")
		e.add(model.EventStrangerSeen, model.UnknownHostOf(c.MAC), fmt.Sprintf("%s hears %s ask for an address%s, where no agent is", label, who(c.MAC), c.says()))
	}
	return true
}

func (c *client) at() string { return model.InterfaceID(c.host, c.Interface, c.Netns) }

// says is what the client tells of itself.
func (c *client) says() string {
	var texts []string
	for _, text := range []string{c.HostName, c.VendorClass} {
		if text != "" {
			texts = append(texts, text)
		}
	}
	if texts == nil {
		return ""
	}
	return " as " + strings.Join(texts, ", ")
}

func (g *Graph) dropClient(c *client) {
	delete(g.clients, c.name)
	if g.built != nil {
		g.built.dropClient(c)
	}
	g.askedBy.drop(c.MAC, c.at(), c)
}

func (g *Graph) applyServer(doc *Decoded, e *events) bool {
	s := &server{host: doc.Host}
	if !doc.Gone() && (!take(doc, &s.DHCPServer) || !s.Addr.IsValid() || s.Interface == "") {
		return false
	}
	before := g.servers[doc.Name]
	g.dropServer(doc.Name)
	if doc.Gone() {
		return true
	}
	if before == nil {
		g.tellServer(s, e)
	}
	g.servers[doc.Name] = s
	g.serving[s.Addr]++
	forgetOldest(g, g.servers, func(s *server) time.Time { return s.FirstSeen }, g.dropServer)
	return true
}

func (g *Graph) dropServer(name model.Name) {
	s := g.servers[name]
	if s == nil {
		return
	}
	delete(g.servers, name)
	if g.serving[s.Addr]--; g.serving[s.Addr] == 0 {
		delete(g.serving, s.Addr)
	}
}

// tellServer says that a server is there, once for all hosts that hear it, and which
// others there are on that link.
func (g *Graph) tellServer(s *server, e *events) {
	var others []string
	for _, o := range g.servers {
		if o.Addr == s.Addr {
			return
		}
		if o.host == s.host && o.Interface == s.Interface && o.Netns == s.Netns {
			others = append(others, o.Addr.String())
		}
	}
	at := model.InterfaceID(s.host, s.Interface, s.Netns)
	_, label, _ := strings.Cut(at, ":")
	text := fmt.Sprintf("%s: DHCP server %s gives addresses", label, s.Addr)
	if others != nil {
		slices.Sort(others)
		text += ", besides " + strings.Join(others, ", ")
	}
	e.add(model.EventDHCPServer, at, text)
}
