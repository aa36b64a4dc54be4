package netconf

import (
	"errors"
	"fmt"
	"syscall"

	"cassini/agent/inbox"

	"golang.org/x/sys/unix"
)

// notices is a netlink socket that hears what the kernel tells by itself; nil hears nothing.
type notices struct{ in *inbox.Inbox }

// maxNotice is more than any message of the kernel has, in bytes.
const maxNotice = 1 << 20

// subscribe opens one of the thread's namespace.
func subscribe(protocol int, groups ...int) (*notices, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return nil, err
	}
	err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
	for _, group := range groups {
		err = errors.Join(err, unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, group))
	}
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	in, err := inbox.New(fd)
	if err != nil {
		return nil, err
	}
	return &notices{in}, nil
}

// buffer sets how many bytes may wait: past the limit of the system, which root may pass.
func (n *notices) buffer(size int) {
	_ = n.in.Control(func(fd int) {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, size); err != nil {
			_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, size)
		}
	})
}

// receive waits for messages of the kernel. Errors wrap os.ErrClosed after close, and
// unix.ENOBUFS where some were lost.
func (n *notices) receive() ([]syscall.NetlinkMessage, error) {
	for {
		data, _, from, err := n.in.Receive(maxNotice, nil)
		if err != nil {
			return nil, err
		}
		if at, ok := from.(*unix.SockaddrNetlink); !ok || at.Pid != 0 {
			continue // not from the kernel
		}
		messages, err := syscall.ParseNetlinkMessage(data)
		if err != nil {
			return nil, fmt.Errorf("take netlink messages apart: %w", err)
		}
		return messages, nil
	}
}

// drain throws away what waits, after a loss and before what is there is read.
func (n *notices) drain() { _ = n.in.Control(inbox.Drain) }

func (n *notices) close() {
	if n != nil {
		_ = n.in.Close()
	}
}
