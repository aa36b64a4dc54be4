package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"cassini/model"
	"cassini/model/wire"
)

// members play the agents of many hosts, at one UDP socket on loopback: they join, open what
// the manager tells them and acknowledge it, by the same keys and seals as agents do. They
// send no heartbeats, which are no business of the manager's.
type members struct {
	udp     *net.UDPConn
	addr    netip.AddrPort
	manager atomic.Pointer[model.RingMember]
	nonce   atomic.Uint64
	acks    atomic.Int64
	hearing sync.WaitGroup

	mu  sync.RWMutex
	all map[wire.Set][]member // more than one where numbers collide
}

// member is what it takes to open what is for one host.
type member struct {
	host   string
	life   model.Incarnation
	secret model.Secret
}

// memberKey is the number of the key of a host that has just joined.
const memberKey = 1

func newMembers() (*members, error) {
	udp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, fmt.Errorf("listen for instructions: %w", err)
	}
	_ = udp.SetReadBuffer(4 << 20) // what finds no room comes again
	m := &members{udp: udp, addr: udp.LocalAddr().(*net.UDPAddr).AddrPort(), all: make(map[wire.Set][]member)}
	m.hearing.Go(m.hear)
	return m, nil
}

func (m *members) close() error {
	err := m.udp.Close()
	m.hearing.Wait()
	return err
}

// joiner is what takes hosts into rings: the manager.
type joiner interface {
	Join(context.Context, model.Join) (*model.Joined, error)
}

// join brings a host into the rings; ErrBusy is the caller's to try again.
func (m *members) join(ctx context.Context, to joiner, host, zone string, life model.Incarnation) error {
	joined, err := to.Join(ctx, model.Join{RingMember: model.RingMember{Host: host, Addr: m.addr, Incarnation: life, Zone: zone}, Watch: "kernel"})
	if err != nil {
		return fmt.Errorf("join %s: %w", host, err)
	}
	key, ok := joined.Keys.Find(memberKey)
	if !ok {
		return fmt.Errorf("join %s: no key %d in the answer", host, memberKey)
	}
	m.manager.CompareAndSwap(nil, &joined.Manager)
	one, set := member{host: host, life: life, secret: key.Secret}, wire.RingSet(joined.Ring)
	m.mu.Lock()
	earlier := func(o member) bool { return o.host == host }
	m.all[set] = append(slices.DeleteFunc(slices.Clone(m.all[set]), earlier), one)
	m.mu.Unlock()
	for _, a := range joined.Assignments {
		if err := m.acknowledge(one, set, a); err != nil {
			return err
		}
	}
	return nil
}

// hear acknowledges what comes until the socket is closed. What cannot be opened is not
// acknowledged, and comes again.
func (m *members) hear() {
	b := make([]byte, 2*wire.MaxDatagram)
	for {
		n, _, err := m.udp.ReadFromUDPAddrPort(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			m.receive(b[:n])
		}
	}
}

func (m *members) receive(b []byte) {
	h, err := wire.ParseHeader(b)
	if err != nil {
		return
	}
	m.mu.RLock()
	candidates := m.all[h.Set]
	m.mu.RUnlock()
	for _, one := range candidates {
		ring := model.ManagerRing(one.host)
		msg, err := wire.Open(b, h, wire.SealKey(one.secret, ring, model.ManagerHost, one.host))
		if err == nil && msg.Assignment != nil {
			_ = m.acknowledge(one, h.Set, msg.Assignment) // it comes again
			return
		}
	}
}

// acknowledge says which epoch of a ring a host has.
func (m *members) acknowledge(one member, set wire.Set, a *model.Assignment) error {
	ring := model.ManagerRing(one.host)
	h := wire.Header{Key: memberKey, Set: set, Nonce: m.nonce.Add(1), Incarnation: one.life}
	b, err := wire.Seal(h, wire.RingTagKey(one.secret, ring), one.host, wire.SealKey(one.secret, ring, one.host, model.ManagerHost),
		wire.Message{Type: wire.Ack, Ring: a.Ring, Epoch: a.Epoch})
	if err != nil {
		return fmt.Errorf("seal an acknowledgement of %s: %w", one.host, err)
	}
	m.acks.Add(1)
	if _, err := m.udp.WriteToUDPAddrPort(b, m.manager.Load().Addr); err != nil {
		return fmt.Errorf("send an acknowledgement of %s: %w", one.host, err)
	}
	return nil
}
