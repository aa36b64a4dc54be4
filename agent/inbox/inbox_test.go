package inbox

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair is an inbox and who writes to it.
func pair(t *testing.T) (*Inbox, int) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fds[1]) })
	if err := unix.SetNonblock(fds[1], false); err != nil {
		t.Fatal(err)
	}
	in, err := New(fds[0])
	if err != nil {
		t.Fatal(err)
	}
	return in, fds[1]
}

// Messages of any size come whole, in memory of their own, and cut where they are too long.
func TestReceive(t *testing.T) {
	in, out := pair(t)
	sizes := []int{1, 0, 70_000, 3000, 1 << 17}
	go func() {
		for i, n := range sizes {
			if err := unix.Sendto(out, bytes.Repeat([]byte{byte(i)}, n), 0, nil); err != nil {
				t.Error(err)
			}
		}
	}()
	var all [][]byte
	for range sizes {
		data, _, _, err := in.Receive(100_000, nil)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data)
	}
	for i, n := range sizes {
		if want := bytes.Repeat([]byte{byte(i)}, min(n, 100_000)); !bytes.Equal(all[i], want) {
			t.Errorf("message %d has %d bytes of %d", i, len(all[i]), len(want))
		}
	}
	if err := in.Close(); err != nil {
		t.Error(err)
	}
}

// Close ends a Receive that waits.
func TestClose(t *testing.T) {
	in, _ := pair(t)
	ended := make(chan error)
	go func() {
		_, _, _, err := in.Receive(1, nil)
		ended <- err
	}()
	if err := in.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, os.ErrClosed) {
		t.Errorf("it ends with %v", err)
	}
	if err := in.Control(func(int) {}); err == nil {
		t.Error("it is controlled once it is closed")
	}
}
