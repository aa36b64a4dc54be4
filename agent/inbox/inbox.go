// Package inbox reads sockets of messages of which an agent may have thousands, and that seldom
// hear anything: while nothing comes, no memory waits for it.
package inbox

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Inbox is a socket of datagrams, packets or netlink messages. Receive has one caller; the other
// methods may be called beside it.
type Inbox struct {
	file *os.File
	raw  syscall.RawConn
}

// New takes a socket that does not block; it is closed on an error.
func New(fd int) (*Inbox, error) {
	i := &Inbox{file: os.NewFile(uintptr(fd), "inbox")}
	var err error
	if i.raw, err = i.file.SyscallConn(); err != nil {
		return nil, errors.Join(fmt.Errorf("read a socket: %w", err), i.file.Close())
	}
	return i, nil
}

// Receive waits for a message, of which no more than so many bytes are read, and returns it in
// memory of its own, how much of control is filled, and the sender. Errors wrap os.ErrClosed after
// Close, or are the kernel's: reading may go on.
func (i *Inbox) Receive(most int, control []byte) (data []byte, controls int, from unix.Sockaddr, err error) {
	waited := i.raw.Read(func(fd uintptr) bool {
		data, controls, from, err = receive(int(fd), most, control)
		return !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR)
	})
	if waited != nil {
		return nil, 0, nil, os.ErrClosed
	}
	if err != nil {
		return nil, 0, nil, fmt.Errorf("receive a message: %w", err)
	}
	return data, controls, from, nil
}

func receive(fd, most int, control []byte) ([]byte, int, unix.Sockaddr, error) {
	size, _, err := unix.Recvfrom(fd, nil, unix.MSG_PEEK|unix.MSG_TRUNC)
	if err != nil {
		return nil, 0, nil, err
	}
	data := make([]byte, min(size, most))
	n, controls, _, from, err := unix.Recvmsg(fd, data, control, 0)
	return data[:max(n, 0)], controls, from, err
}

// Control calls a function with the socket, unless it is closed.
func (i *Inbox) Control(do func(fd int)) error {
	return i.raw.Control(func(fd uintptr) { do(int(fd)) })
}

// Drain throws away what waits in a socket. Of netlink the kernel tells of a loss once, and keeps no
// message, nor tells of one more that is lost, until all that waited have been taken
// (net/netlink/af_netlink.c, netlink_broadcast_deliver, netlink_overrun).
func Drain(fd int) {
	for buf := make([]byte, 1); ; {
		_, _, err := unix.Recvfrom(fd, buf, unix.MSG_DONTWAIT|unix.MSG_TRUNC)
		if err != nil && !errors.Is(err, unix.ENOBUFS) && !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// Close ends Receive.
func (i *Inbox) Close() error { return i.file.Close() }
