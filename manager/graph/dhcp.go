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

func (g *Graph) applyClient(doc model.Document, e *events) bool {
	c := &client{name: doc.Name, host: doc.Host}
	if !doc.Gone() && (doc.Decode(&c.DHCP) != nil || c.MAC == "" || c.Interface == "") {
		return false
	}
	g.topology++
	if before := g.clients[doc.Name]; before != nil {
		g.dropClient(before)
	}
	if doc.Gone() {
		return true
	}
	fresh := g.seenMACs[c.MAC] == 0 && g.asking[c.MAC] == 0 && !g.hasMAC(c.MAC)
	g.clients[doc.Name] = c
	g.asking[c.MAC]++
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
	if g.asking[c.MAC]--; g.asking[c.MAC] == 0 {
		delete(g.asking, c.MAC)
	}
}

func (g *Graph) applyServer(doc model.Document, e *events) bool {
	s := &server{host: doc.Host}
	if !doc.Gone() && (doc.Decode(&s.DHCPServer) != nil || !s.Addr.IsValid() || s.Interface == "") {
		return false
	}
	g.topology++
	before := g.servers[doc.Name]
	delete(g.servers, doc.Name)
	if doc.Gone() {
		return true
	}
	if before == nil {
		g.tellServer(s, e)
	}
	g.servers[doc.Name] = s
	forgetOldest(g, g.servers, func(s *server) time.Time { return s.FirstSeen }, func(n model.Name) { delete(g.servers, n) })
	return true
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
