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
	if err := l.SetReadDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	for buf := make([]byte, 64); ; { // what was told before it hung
		if _, err := l.Read(buf); err != nil {
			break
		}
	}
	for asked := pinged.Load(); pinged.Load() < asked+2; {
		time.Sleep(time.Millisecond)
	}
	if err := l.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64)
	if n, err := l.Read(buf); err == nil {
		t.Errorf("told %q while it hangs", buf[:n])
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
