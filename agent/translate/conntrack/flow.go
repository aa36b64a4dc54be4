// Package conntrack hears from the kernel's connection tracking which flows are translated:
// NFNLGRP_CONNTRACK_NEW of nfnetlink, in one network namespace, behind a socket filter that
// passes translated ones alone. Nothing is sent but the question which ones are there.
//
// Sources: linux net/netfilter/nf_conntrack_netlink.c,
// include/uapi/linux/netfilter/nf_conntrack_common.h.
package conntrack

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/mdlayher/netlink"
	"github.com/ti-mo/conntrack"
	"golang.org/x/sys/unix"
)

// Flow is a flow whose addresses or ports are translated, without the client's port.
type Flow struct {
	Proto   string // "tcp" or "udp"
	Client  netip.Addr
	Dialled netip.AddrPort
	Reached netip.AddrPort
	SeenAs  netip.Addr // the client, by who is reached
}

// Tracked is one flow, by the number that the kernel gives it as long as it is there.
type Tracked struct {
	Flow
	ID uint32
}

// Table are the flows that are there.
type Table struct {
	Counts map[Flow]uint64
	IDs    map[uint32]struct{} // of those that are counted
	Left   uint64              // how many are not, since there are too many different ones
}

// add counts a flow, if it is one of the first so many different ones.
func (t *Table) add(f Tracked, most int) {
	if t.Counts[f.Flow] == 0 && len(t.Counts) >= most {
		t.Left++
		return
	}
	t.Counts[f.Flow]++
	t.IDs[f.ID] = struct{}{}
}

// ErrMalformed says that a message could not be read.
var ErrMalformed = errors.New("malformed conntrack message")

// translated are the status bits of a flow of which source or destination is translated.
const translated = conntrack.StatusSrcNAT | conntrack.StatusDstNAT

// Parse reads a message of a flow that begins or is there. ok is false for what is not translated,
// and of protocols other than TCP and UDP. Errors wrap ErrMalformed.
func Parse(m netlink.Message) (f Tracked, ok bool, err error) {
	flow, err := decode(m)
	if err != nil || flow == nil {
		return f, false, err
	}
	f.ID = flow.ID
	f.Flow, ok = flowOf(flow)
	return f, ok, nil
}

// decode reads a message; nil of others than of flows that begin.
func decode(m netlink.Message) (*conntrack.Flow, error) {
	var e conntrack.Event
	if err := e.Unmarshal(m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if e.Type != conntrack.EventNew {
		return nil, nil
	}
	return e.Flow, nil
}

func flowOf(c *conntrack.Flow) (Flow, bool) {
	there, back := &c.TupleOrig, &c.TupleReply
	f := Flow{
		Client:  there.IP.SourceAddress.Unmap(),
		Dialled: netip.AddrPortFrom(there.IP.DestinationAddress.Unmap(), there.Proto.DestinationPort),
		Reached: netip.AddrPortFrom(back.IP.SourceAddress.Unmap(), back.Proto.SourcePort),
		SeenAs:  back.IP.DestinationAddress.Unmap(),
	}
	switch there.Proto.Protocol {
	case unix.IPPROTO_TCP:
		f.Proto = "tcp"
	case unix.IPPROTO_UDP:
		f.Proto = "udp"
	default:
		return Flow{}, false
	}
	valid := f.Client.IsValid() && f.Dialled.Addr().IsValid() && f.Reached.Addr().IsValid() && f.SeenAs.IsValid()
	// A source port alone may be translated: nobody keeps those of clients.
	return f, valid && c.Status&translated != 0 && (f.Dialled != f.Reached || f.Client != f.SeenAs)
}
