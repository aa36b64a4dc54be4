package notify

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// systemd listens where a service tells how it is.
func systemd(t *testing.T) *net.UnixConn {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	return l
}

// hear reads until something is told.
func hear(t *testing.T, l *net.UnixConn, want string) {
	t.Helper()
	if err := l.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	var all []string
	for buf := make([]byte, 4096); ; {
		n, err := l.Read(buf)
		if err != nil {
			t.Fatalf("waiting for %q: %v; heard %q", want, err, all)
		}
		all = append(all, string(buf[:n]))
		if strings.Contains(string(buf[:n]), want) {
			return
		}
	}
}

// unread takes what was told and not heard yet, without waiting.
func unread(t *testing.T, l *net.UnixConn) (told []string) {
	t.Helper()
	raw, err := l.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var last error
	err = raw.Control(func(fd uintptr) {
		for buf := make([]byte, 4096); last == nil; {
			var n int
			if n, _, last = unix.Recvfrom(int(fd), buf, unix.MSG_DONTWAIT); last == nil {
				told = append(told, string(buf[:n]))
			}
		}
	})
	if err != nil || !errors.Is(last, unix.EAGAIN) {
		t.Fatal(err, last)
	}
	return told
}

func TestLife(t *testing.T) {
	l := systemd(t)
	t.Setenv("WATCHDOG_USEC", "40000")
	var ready, hangs atomic.Bool
	var pinged atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		Run(ctx, Config{
			Ready: func() error {
				if ready.Load() {
					return nil
				}
				return errors.New("the log is read")
			},
			Alive: func(ctx context.Context) error {
				pinged.Add(1)
				if hangs.Load() {
					<-ctx.Done()
				}
				return ctx.Err()
			},
			Status: "on 127.0.0.1:1984", Logger: slog.New(slog.DiscardHandler),
		})
	})
	hear(t, l, "EXTEND_TIMEOUT_USEC=60000000\nSTATUS=starting: the log is read")
	ready.Store(true)
	hear(t, l, "READY=1\nSTATUS=on 127.0.0.1:1984")
	hear(t, l, "WATCHDOG=1")
	hear(t, l, "WATCHDOG=1")
	done := Reloading()
	hear(t, l, "RELOADING=1\nMONOTONIC_USEC=")
	done()
	hear(t, l, "READY=1")
	hangs.Store(true)
	for asked := pinged.Load(); pinged.Load() < asked+3; {
		time.Sleep(time.Millisecond)
	}
	unread(t, l) // what was told before it hung
	for asked := pinged.Load(); pinged.Load() < asked+2; {
		time.Sleep(time.Millisecond)
	}
	if told := unread(t, l); len(told) > 0 {
		t.Errorf("told %q while it hangs", told)
	}
	cancel()
	hear(t, l, "STOPPING=1")
	running.Wait()
}

func TestEndsBeforeItIsReady(t *testing.T) {
	l := systemd(t)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		Run(ctx, Config{Ready: func() error { return errors.New("no") }, Logger: slog.New(slog.DiscardHandler)})
	})
	hear(t, l, "starting: no")
	cancel()
	hear(t, l, "STOPPING=1")
	running.Wait()
}

func TestNobodyListens(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	Run(t.Context(), Config{Logger: slog.New(slog.DiscardHandler)}) // returns, and calls nothing
	Reloading()()
}
