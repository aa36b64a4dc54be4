package programs

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"testing"

	"cassini/agent"
	"cassini/model"
)

// thoughtful is a manager that takes its time to say what it remembers.
type thoughtful struct {
	asked, answer chan struct{}
}

func (*thoughtful) Deliver(context.Context, model.Batch) (model.Receipt, error) {
	return model.Receipt{}, nil
}

func (*thoughtful) Hashes(context.Context, string) ([]model.DocumentHash, error) { return nil, nil }

func (m *thoughtful) Latest(context.Context, string) ([]model.Document, error) {
	close(m.asked)
	<-m.answer
	return nil, nil
}

// TestHearsWhileItStarts: what happens while an agent still waits for its manager is taken from
// the kernel at once. A ring buffer holds some six hundred events.
func TestHearsWhileItStarts(t *testing.T) {
	m := &thoughtful{make(chan struct{}), make(chan struct{})}
	a := agent.New(agent.Config{Host: "web-17", DataDir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)}, m)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	select {
	case <-m.asked:
	case err := <-ended:
		ended <- err
		t.Fatalf("the agent ended: %v", err)
	}
	defer close(m.answer)
	for n := uint64(100); n <= 1000; n += 100 {
		for range 100 {
			l, err := net.Listen("tcp4", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			_ = l.Close()
		}
		eventually(t, fmt.Sprintf("%d listeners heard of", n), func() bool { return a.CaptureStats().Events["unlisten"] >= n })
	}
	if err := a.CheckReady(); err == nil {
		t.Error("it is ready, and its manager has not answered")
	}
}
