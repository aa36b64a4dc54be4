package bpf

import (
	"errors"

	"github.com/cilium/ebpf"
)

// ErrWithoutUDPBytes says that nobody wants bytes of UDP to be counted.
var ErrWithoutUDPBytes = errors.New("bytes of UDP are not counted, as Limits do not ask for them")

// loadBytes loads the programs that count bytes of UDP.
func (u *udp) loadBytes(t *TCP) error {
	spec, err := loadUdpbytes()
	if err != nil {
		return err
	}
	if err := t.limits.apply(spec); err != nil {
		return err
	}
	err = spec.LoadAndAssign(&u.bytes, t.types.options(u.maps(t)))
	return explain("load the programs for bytes of UDP", err)
}

// attachBytes attaches both of them, as half would be misleading.
func (u *udp) attachBytes() error {
	links, err := attachCgroup(u.root, hook{ebpf.AttachCGroupInetEgress, u.bytes.UdpBytesSent}, hook{ebpf.AttachCGroupInetIngress, u.bytes.UdpBytesReceived})
	u.links = append(u.links, links...)
	return explain("attach the programs for bytes of UDP", err)
}

// UDPBytes tells what keeps bytes of UDP from being counted, or nil.
func (t *TCP) UDPBytes() error {
	if t.limits.UDPBytes && t.noUDP != nil {
		return t.noUDP
	}
	return t.noBytes
}
