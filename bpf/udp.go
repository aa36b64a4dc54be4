package bpf

import (
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// ErrCgroupRoot says that the cgroup v2 hierarchy is seen from inside of it only.
var ErrCgroupRoot = errors.New("the root of the cgroup v2 hierarchy is out of reach; run in the host's cgroup namespace with its /sys/fs/cgroup")

// ErrWithoutUDP says that nobody wants UDP to be captured.
var ErrWithoutUDP = errors.New("UDP is left alone, as Limits ask")

// cgroupRoot is the inode of every hierarchy's root (fs/kernfs/dir.c).
const cgroupRoot = 1

// flowsLimit is how many UDP flows are kept; a power of two and a multiple of ways.
const flowsLimit = 65536

// udp is the attached UDP program.
type udp struct {
	root  *os.File // of the cgroup v2
	objs  udpObjects
	bytes udpbytesPrograms // none unless Limits ask for them
	links []link.Link
}

// openUDP makes UDP's own maps; TCP goes on without them.
func (t *TCP) openUDP() (*ebpf.CollectionSpec, error) {
	if t.limits.WithoutUDP {
		return nil, ErrWithoutUDP
	}
	root, err := openCgroupRoot()
	if err != nil {
		return nil, err
	}
	t.udp = &udp{root: root}
	spec, err := loadUdp()
	if err != nil {
		return nil, err
	}
	if err := t.limits.apply(spec); err != nil {
		return nil, err
	}
	err = spec.LoadAndAssign(&t.udp.objs.udpMaps, t.types.options(t.shared()))
	return spec, explain("make the maps of UDP", err)
}

func (t *TCP) attachUDP() error {
	if err := t.udp.attach(); err != nil {
		return errors.Join(explain("attach the UDP programs", err), t.closeUDP())
	}
	if t.noBytes == nil {
		t.noBytes = t.udp.attachBytes()
	}
	return nil
}

func (t *TCP) closeUDP() error {
	if t.udp == nil {
		return nil
	}
	err := t.udp.close()
	t.udp = nil
	return err
}

func openCgroupRoot() (*os.File, error) {
	path, err := cgroup2()
	if err != nil {
		return nil, err
	}
	if inode, err := inode(path); err != nil {
		return nil, fmt.Errorf("look at %s: %w", path, err)
	} else if inode != cgroupRoot {
		return nil, ErrCgroupRoot
	}
	root, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the cgroup v2 root: %w", err)
	}
	return root, nil
}

// load loads the programs, which share t's maps.
func (u *udp) load(t *TCP, spec *ebpf.CollectionSpec) error {
	return spec.LoadAndAssign(&u.objs.udpPrograms, t.types.options(u.maps(t)))
}

// maps are those that programs of UDP share with each other and with t's.
func (u *udp) maps(t *TCP) map[string]*ebpf.Map {
	maps := t.shared()
	maps["udp_sockets"], maps["flows"] = u.objs.UdpSockets, u.objs.Flows
	return maps
}

func (u *udp) attach() error {
	o := &u.objs
	links, err := attachCgroup(u.root,
		hook{ebpf.AttachCGroupInet4Bind, o.UdpBind4},
		hook{ebpf.AttachCGroupInet6Bind, o.UdpBind6},
		hook{ebpf.AttachCGroupInet4PostBind, o.UdpBound4},
		hook{ebpf.AttachCGroupInet6PostBind, o.UdpBound6},
		hook{ebpf.AttachCGroupInet4Connect, o.UdpConnect4},
		hook{ebpf.AttachCGroupInet6Connect, o.UdpConnect6},
		hook{ebpf.AttachCGroupUDP4Sendmsg, o.UdpSendmsg4},
		hook{ebpf.AttachCGroupUDP6Sendmsg, o.UdpSendmsg6},
		hook{ebpf.AttachCGroupUDP4Recvmsg, o.UdpRecvmsg4},
		hook{ebpf.AttachCGroupUDP6Recvmsg, o.UdpRecvmsg6},
		hook{ebpf.AttachCgroupInetSockRelease, o.UdpRelease},
	)
	if err != nil {
		return err
	}
	u.links = links
	links, err = attachTracing(o.UdpError)
	u.links = append(u.links, links...)
	return err
}

func (u *udp) close() error {
	errs := []error{u.root.Close(), closeLinks(u.links), u.bytes.Close()}
	if u.objs.UdpSockets != nil {
		errs = append(errs, u.objs.Close())
	}
	return errors.Join(errs...)
}

// programs are UDP's programs by name; none when UDP is not captured.
func (u *udp) programs() map[string]*ebpf.Program {
	if u == nil {
		return nil
	}
	o := &u.objs
	return map[string]*ebpf.Program{
		"udp_bind4": o.UdpBind4, "udp_bind6": o.UdpBind6, "udp_bound4": o.UdpBound4, "udp_bound6": o.UdpBound6,
		"udp_connect4": o.UdpConnect4, "udp_connect6": o.UdpConnect6,
		"udp_sendmsg4": o.UdpSendmsg4, "udp_sendmsg6": o.UdpSendmsg6,
		"udp_recvmsg4": o.UdpRecvmsg4, "udp_recvmsg6": o.UdpRecvmsg6,
		"udp_release": o.UdpRelease, "udp_error": o.UdpError,
		"udp_bytes_sent": u.bytes.UdpBytesSent, "udp_bytes_received": u.bytes.UdpBytesReceived,
	}
}

// UDP tells what keeps UDP from being captured, or nil.
func (t *TCP) UDP() error { return t.noUDP }

func (u *udp) flows() []*ebpf.Map {
	if u == nil {
		return nil
	}
	return []*ebpf.Map{u.objs.Flows}
}
