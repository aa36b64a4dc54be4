package netns

import (
	"cmp"
	"maps"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
)

// Sources tells from which address a namespace reaches another, as the kernel
// chooses it for a socket that is bound to none. The zero value is ready and safe
// for concurrent use.
type Sources struct {
	mu    sync.Mutex
	known map[uint32]Namespace
	gone  map[uint32]time.Time // when one was looked for in vain
}

// goneFor is how long a namespace that was not found is not looked for again: a list of
// them is a walk through /proc, and one that has ended may have left many sockets.
const goneFor = time.Second

// Toward is the source address for a peer in the namespace with that inode, by the interface of
// an index unless it is 0; the zero Addr when no route leads there or the namespace has gone.
// Nothing is sent.
func (s *Sources) Toward(inode uint32, peer netip.Addr, index uint32) (source netip.Addr) {
	if peer.IsLinkLocalUnicast() && index == 0 || peer.IsMulticast() {
		return netip.Addr{} // what interface is meant is not known
	}
	if peer.IsLoopback() {
		return loopback(peer)
	}
	s.within(inode, func() error { // no route: no address
		routes, err := netlink.RouteGetWithOptions(peer.AsSlice(), &netlink.RouteGetOptions{OifIndex: int(index)})
		if err == nil && len(routes) > 0 {
			source, _ = netip.AddrFromSlice(routes[0].Src)
		}
		return err
	})
	return source.Unmap()
}

// Interface is what the interface of an index is called in the namespace with that inode, or
// "if7" where nobody tells.
func (s *Sources) Interface(inode, index uint32) (name string) {
	s.within(inode, func() error {
		link, err := netlink.LinkByIndex(int(index))
		if err == nil {
			name = link.Attrs().Name
		}
		return err
	})
	return cmp.Or(name, "if"+strconv.FormatUint(uint64(index), 10))
}

// within looks at something in the namespace with that inode, if there is a way into it; what
// cannot be found is not there.
func (s *Sources) within(inode uint32, look func() error) {
	if inode == inodeOf(ownPath) {
		_ = look()
	} else if ns, ok := s.find(inode); ok {
		_ = ns.Do(look)
	}
}

func loopback(peer netip.Addr) netip.Addr {
	if peer.Is4() {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.IPv6Loopback()
}

// find knows a way into a namespace.
func (s *Sources) find(inode uint32) (Namespace, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ns, ok := s.known[inode]; ok && inodeOf(ns.Path) == inode {
		return ns, true
	}
	if since, ok := s.gone[inode]; ok && time.Since(since) < goneFor {
		return Namespace{}, false
	}
	list, err := List()
	if err != nil {
		return Namespace{}, false
	}
	s.known = make(map[uint32]Namespace, len(list))
	for _, ns := range list {
		s.known[ns.Inode] = ns
	}
	ns, ok := s.known[inode]
	if !ok {
		maps.DeleteFunc(s.gone, func(_ uint32, since time.Time) bool { return time.Since(since) >= goneFor })
		if s.gone == nil {
			s.gone = make(map[uint32]time.Time)
		}
		s.gone[inode] = time.Now()
	}
	return ns, ok
}
