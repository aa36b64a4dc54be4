package bpf

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
)

// AnnounceCounters count what machines told everyone, summed over all CPUs.
type AnnounceCounters = announceAnnounceCounters

// Announcement is what a filter lets through.
type Announcement int

// Announcements, each with the socket that its filter is made for.
const (
	ARP  Announcement = iota // a packet socket of type SOCK_RAW
	ND                       // a raw socket for ICMPv6
	DHCP                     // a raw socket for UDP over IPv4
)

// Announcements are the filters that let through what machines tell everyone on the
// wire, once, to the sockets of one network namespace. Its methods may be called
// concurrently.
type Announcements struct{ objs announceObjects }

// OpenAnnouncements loads the filters. Errors wrap ErrNotPermitted or ErrUnsupported
// where they apply.
func OpenAnnouncements() (*Announcements, error) {
	a := &Announcements{}
	if err := loadAnnounceObjects(&a.objs, nil); err != nil {
		return nil, explain("load the filters of announcements", err)
	}
	if err := a.objs.Buckets.Put(uint32(0), announceBucket{}); err != nil {
		return nil, errors.Join(fmt.Errorf("make the shared bucket: %w", err), a.Close())
	}
	return a, nil
}

// Attach makes a socket pass such announcements alone. It does so for as long as the
// socket lives.
func (a *Announcements) Attach(what Announcement, socket int) error {
	programs := map[Announcement]*ebpf.Program{ARP: a.objs.ArpFrames, ND: a.objs.NdMessages, DHCP: a.objs.DhcpMessages}
	return attachFilter(socket, programs[what])
}

// Forget drops the limit of an interface that has gone.
func (a *Announcements) Forget(ifindex int) error {
	return forgetInterface(a.objs.Buckets, ifindex)
}

// Counters sums the filters' totals over all CPUs.
func (a *Announcements) Counters() (sum AnnounceCounters, err error) {
	var perCPU []AnnounceCounters
	if err := a.objs.AnnounceCounts.Lookup(uint32(0), &perCPU); err != nil {
		return sum, fmt.Errorf("read counters of announcements: %w", err)
	}
	for _, c := range perCPU {
		sum.Arp += c.Arp
		sum.Nd += c.Nd
		sum.Dhcp += c.Dhcp
		sum.Known += c.Known
		sum.Limited += c.Limited
	}
	return sum, nil
}

// Close lets go of the filters; sockets that have one keep it.
func (a *Announcements) Close() error { return a.objs.Close() }
