package estate

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// thread is one of this process's, alone in its network namespace and with its own host
// name. It is never used for anything else: the runtime ends it with its goroutine, and
// the kernel then ends the programs that it started. Its methods may be called
// concurrently.
type thread struct {
	calls chan func()
	quit  chan struct{}
	ended chan struct{}
}

// newThread makes the namespace, too.
func newThread(hostname string) (*thread, error) {
	t := &thread{calls: make(chan func()), quit: make(chan struct{}), ended: make(chan struct{})}
	ready := make(chan error, 1)
	go t.run(hostname, ready)
	if err := <-ready; err != nil {
		return nil, err
	}
	return t, nil
}

func (t *thread) run(hostname string, ready chan<- error) {
	runtime.LockOSThread()
	if unix.Gettid() == unix.Getpid() { // it stands for the process in /proc, and never ends
		go t.run(hostname, ready)
		<-t.ended // else the other could get this one
		runtime.UnlockOSThread()
		return
	}
	defer close(t.ended)
	if err := leave(hostname); err != nil {
		ready <- err
		return
	}
	ready <- nil
	for {
		select {
		case call := <-t.calls:
			call()
		case <-t.quit:
			return
		}
	}
}

// leave moves the calling thread out of the machine's namespaces.
func leave(hostname string) error {
	if err := unix.Unshare(unix.CLONE_NEWNET | unix.CLONE_NEWUTS); err != nil {
		return fmt.Errorf("make namespaces: %w", err)
	}
	if err := unix.Sethostname([]byte(hostname)); err != nil {
		return fmt.Errorf("set host name: %w", err)
	}
	return nil
}

// do calls fn on the thread. fn must return: neither panic nor end its goroutine.
func (t *thread) do(fn func() error) error {
	result := make(chan error, 1)
	select {
	case t.calls <- func() { result <- fn() }:
		return <-result
	case <-t.quit:
		return fmt.Errorf("enter namespace: %w", os.ErrClosed)
	}
}

// stop is called once.
func (t *thread) stop() {
	close(t.quit)
	<-t.ended
}
