package names

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"

	"cassini/agent/frames/links"
	"cassini/agent/netns"
	"cassini/agent/pace"
	"cassini/model"
)

// Limits of name servers that are listened to.
const (
	maxServersOfSpace = 16
	maxServers        = 1024
)

// Answers read of one name server: so many at once, then as many a second. What is beyond
// waits in the socket's buffer, and what finds no room there is lost.
const readAtOnce = 256

// space is a network namespace with the name servers of its programs.
type space struct {
	netns.Namespace
	addresses map[string]string // by interface: what a change of tells to open anew
	servers   map[netip.Addr]Socket
}

// followLink takes an interface as it stands now. When addresses change, so does the one
// that a socket hears answers at.
func (n *Names) followLink(ctx context.Context, spaces map[uint32]*space, l links.Moved) {
	s := spaces[l.NS.Inode]
	if s == nil {
		s = &space{Namespace: l.NS, addresses: make(map[string]string), servers: make(map[netip.Addr]Socket)}
		spaces[l.NS.Inode] = s
	}
	if l.State != model.InterfacePresent {
		delete(s.addresses, l.Name)
		if len(s.addresses) == 0 { // a socket alone would keep the namespace
			n.closeAll(s)
			delete(spaces, l.NS.Inode)
		}
		return
	}
	now := strings.Join(slices.Sorted(maps.Keys(l.Addresses)), " ")
	if before, known := s.addresses[l.Name]; known && before == now {
		return
	}
	s.addresses[l.Name] = now
	n.closeOpen(s)
	for _, server := range configured(s.Namespace) {
		n.listen(ctx, s, server)
	}
	for server, socket := range s.servers {
		if socket == nil {
			n.listen(ctx, s, server)
		}
	}
}

// listen hears a name server in a namespace. One to which no route leads is tried again
// when an address of the namespace changes.
func (n *Names) listen(ctx context.Context, s *space, server netip.Addr) {
	if s.servers[server] != nil {
		return
	}
	if _, known := s.servers[server]; !known && (len(s.servers) >= maxServersOfSpace || n.count() >= maxServers) {
		n.mu.Lock()
		n.refused++
		n.mu.Unlock()
		return
	}
	socket, err := n.cfg.Open(s.Namespace, server)
	s.servers[server] = socket
	if err != nil {
		s.servers[server] = nil
		n.cfg.Logger.Debug("answers of a name server are not heard", "server", server, "namespace", s.Path, "error", err)
		return
	}
	n.opened(1)
	n.readers.Go(func() { n.read(ctx, s.Name, server.String(), socket) })
}

// closeOpen closes the sockets of a namespace; their name servers stay known.
func (n *Names) closeOpen(s *space) {
	for server, socket := range s.servers {
		if socket != nil {
			_ = socket.Close()
			s.servers[server] = nil
			n.opened(-1)
		}
	}
}

func (n *Names) closeAll(s *space) {
	n.closeOpen(s)
	clear(s.servers)
}

// read hears one name server until its socket is closed.
func (n *Names) read(ctx context.Context, netns, server string, socket Socket) {
	var lost uint32
	ration := pace.Ration{Most: readAtOnce}
	for {
		message, dropped, err := socket.Read()
		if errors.Is(err, os.ErrClosed) || ctx.Err() != nil {
			return
		}
		if err == nil {
			n.hear(netns, server, message, uint64(dropped-lost))
			lost = dropped
		}
		if !ration.Take(ctx, 1) {
			return
		}
	}
}

// pending are name servers that programs were seen to ask, until Run takes them.
type pending struct {
	wake chan struct{}

	mu   sync.Mutex
	list []asked
}

// asked is a name server that a program in a namespace asks.
type asked struct {
	netns  uint32
	server netip.Addr
}

// put does not block. The oldest make room: their namespace has gone before it was seen.
func (p *pending) put(a asked) {
	p.mu.Lock()
	if !slices.Contains(p.list, a) {
		p.list = append(p.list, a)
	}
	p.list = p.list[max(len(p.list)-maxServers, 0):]
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// take takes what is known of the namespaces that are there. The others are kept for
// later: their links are told in a moment.
func (p *pending) take(spaces map[uint32]*space) (list []asked) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list = slices.DeleteFunc(p.list, func(a asked) bool {
		if spaces[a.netns] == nil {
			return false
		}
		list = append(list, a)
		return true
	})
	slices.SortFunc(list, func(a, b asked) int { return cmp.Or(cmp.Compare(a.netns, b.netns), a.server.Compare(b.server)) })
	return list
}
