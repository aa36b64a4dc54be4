// Package modules hears when the kernel loads a module, such as that of a protocol which
// nobody had asked for before. A filter lets through what is waited for: nothing else that
// happens to devices wakes this process.
package modules

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/mdlayher/socket"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Waiter hears of one module. Wait has one caller.
type Waiter struct {
	conn *socket.Conn
	word []byte
}

// kernelGroup is the multicast group of messages that are the kernel's own (lib/kobject_uevent.c).
const kernelGroup = 1

// Hear begins to hear. Look for the module after that, and nothing falls in between. It needs no
// capability.
func Hear(name string) (*Waiter, error) {
	w := &Waiter{word: []byte("add@/module/" + name + "\x00")}
	conn, err := socket.Socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_KOBJECT_UEVENT, "uevent", nil)
	if err != nil {
		return nil, fmt.Errorf("hear of kernel modules: %w", err)
	}
	program, err := bpf.Assemble(filter(w.word))
	if err == nil {
		err = conn.SetBPF(program)
	}
	if err == nil {
		err = conn.Bind(&unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: kernelGroup})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("hear of kernel modules: %w", err), conn.Close())
	}
	w.conn = conn
	return w, nil
}

// Wait waits until the module is loaded, or until the context ends, whose error it returns
// then.
func (w *Waiter) Wait(ctx context.Context) error {
	buf := make([]byte, 2048) // UEVENT_BUFFER_SIZE
	for {
		n, _, err := w.conn.Recvfrom(ctx, buf, 0)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, unix.ENOBUFS): // something was lost: that may have been it
			return nil
		case err != nil:
			return fmt.Errorf("hear of kernel modules: %w", err)
		case bytes.HasPrefix(buf[:n], w.word):
			return nil
		}
	}
}

// Close ends it.
func (w *Waiter) Close() error { return w.conn.Close() }

// filter lets messages through that begin with a word.
func filter(word []byte) []bpf.Instruction {
	var program []bpf.Instruction
	for at := 0; at < len(word); {
		size := 1
		want := uint32(word[at])
		if len(word)-at >= 4 {
			size, want = 4, binary.BigEndian.Uint32(word[at:])
		}
		program = append(program, bpf.LoadAbsolute{Off: uint32(at), Size: size},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: want, SkipTrue: 1}, bpf.RetConstant{Val: 0})
		at += size
	}
	return append(program, bpf.RetConstant{Val: 1 << 16})
}
