package transport

import (
	"net/netip"

	"cassini/model"
	"cassini/model/wire"
)

// maxAsks is how many questions to reflectors are remembered: more than are on their way
// at a time.
const maxAsks = 256

// question is one to a host's kernel; the answer repeats its nonce.
type question struct {
	set   wire.Set
	nonce uint64
	to    netip.AddrPort
}

// Reflection is what a host's kernel says of its agent.
type Reflection struct {
	From        netip.AddrPort
	Incarnation model.Incarnation
	Progress    uint64 // of the agent's main loop
}

// ask asks the kernel of a member how far its agent is. Where no reflector is, the datagram
// is dropped there.
func (e *Endpoint) ask(ring model.RingID, to model.RingMember) {
	nonce, err := e.cfg.Nonces.Take()
	if err != nil {
		return // the probe that goes with a ping says so
	}
	e.mu.Lock()
	k := e.rings.of(ring)
	if k == nil {
		e.mu.Unlock()
		return
	}
	h := wire.Header{
		Type: wire.Ask, Key: k.keys.Current, Set: k.set, Nonce: nonce, Incarnation: e.cfg.Incarnation, Progress: e.progress.Load(),
	}
	tag, _ := k.tag(h.Key) // without that key nobody answers
	b := wire.AppendHeader(nil, h, tag)
	e.asked[e.asks%maxAsks] = question{k.set, nonce, netip.AddrPortFrom(to.Addr.Addr().Unmap(), to.Addr.Port())}
	e.asks++
	e.mu.Unlock()
	_ = e.write(b, to) // a lost question has no answer, as a lost answer has not
}

// reflection reads a kernel's answer. What is none, and what nobody asked for, is left to
// open, which refuses and counts it.
func (e *Endpoint) reflection(b []byte, from netip.AddrPort) (r Reflection, ok bool) {
	h, err := wire.ParseHeader(b)
	if err != nil || h.Type != wire.Reflected {
		return r, false
	}
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, err := e.rings.tagged(b, h); err != nil {
		return r, false
	}
	for i := range e.asked {
		if q := &e.asked[i]; q.to.IsValid() && *q == (question{h.Set, h.Nonce, from}) {
			*q = question{} // each answer counts once
			e.counters[Taken]++
			return Reflection{From: from, Incarnation: h.Incarnation, Progress: h.Progress}, true
		}
	}
	return r, false
}
