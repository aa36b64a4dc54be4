package bpf

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// ErrWithoutUDPBytes says that nobody wants bytes of UDP to be counted.
var ErrWithoutUDPBytes = errors.New("bytes of UDP are not counted, as Limits do not ask for them")

// countBytes loads and attaches the programs that count bytes of UDP.
func (u *udp) countBytes(t *TCP) error {
	spec, err := loadUdpbytes()
	if err != nil {
		return err
	}
	if err := t.limits.apply(spec); err != nil {
		return err
	}
	if err := spec.LoadAndAssign(&u.bytes, &ebpf.CollectionOptions{Cache: t.cache, MapReplacements: u.maps(t)}); err != nil {
		return explain("load the programs for bytes of UDP", err)
	}
	var links []link.Link
	for at, prog := range map[ebpf.AttachType]*ebpf.Program{
		ebpf.AttachCGroupInetEgress: u.bytes.UdpBytesSent, ebpf.AttachCGroupInetIngress: u.bytes.UdpBytesReceived,
	} {
		l, err := link.AttachRawLink(link.RawLinkOptions{Target: int(u.root.Fd()), Program: prog, Attach: at})
		if err != nil {
			err = explain("attach a program for bytes of UDP to the cgroup v2 root", fmt.Errorf("%s: %w", at, err))
			return errors.Join(err, closeLinks(links)) // half of them would be misleading
		}
		links = append(links, l)
	}
	u.links = append(u.links, links...)
	return nil
}

// UDPBytes tells what keeps bytes of UDP from being counted, or nil.
func (t *TCP) UDPBytes() error { return t.noBytes }
