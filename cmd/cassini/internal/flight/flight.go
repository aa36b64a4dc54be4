// Package flight keeps the last seconds of what the Go runtime did (runtime/trace's flight
// recorder), and writes them to a file when something was odd. 'go tool trace FILE' shows
// them.
package flight

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/trace"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"cassini/model"
)

// Bounds of what is kept in memory and on disk.
const (
	window   = 10 * time.Second
	maxBytes = 8 << 20  // of the window; the runtime takes it as a hint
	maxFile  = 32 << 20 // of a file, beyond which it is given up
	maxFiles = 8        // the oldest go first
	pause    = time.Minute
	suffix   = ".trace"
)

// Config is what New needs.
type Config struct {
	Dir    string // of the files; made when there is one to write
	Logger *slog.Logger
	Now    func() time.Time
}

// Recorder is safe for concurrent use.
type Recorder struct {
	cfg      Config
	recorder *trace.FlightRecorder
	odd      chan string
	orders   chan order
	ended    chan struct{} // closed when Run returns

	written, skipped, failed atomic.Uint64
}

// order is somebody who waits for a file.
type order struct {
	reason string
	answer chan answer
}

type answer struct {
	path string
	err  error
}

// ErrOff says that nothing is recorded.
var ErrOff = errors.New("the flight recorder is off: start with --flight-recorder")

// New makes a recorder that does nothing before Run.
func New(cfg Config) *Recorder {
	return &Recorder{
		cfg: cfg, odd: make(chan string, 1), orders: make(chan order), ended: make(chan struct{}),
		recorder: trace.NewFlightRecorder(trace.FlightRecorderConfig{MinAge: window, MaxBytes: maxBytes}),
	}
}

// Run records until the context ends. It is called once.
func (r *Recorder) Run(ctx context.Context) error {
	defer close(r.ended)
	if err := r.recorder.Start(); err != nil {
		return fmt.Errorf("start the flight recorder: %w", err)
	}
	defer r.recorder.Stop()
	var last time.Time
	for {
		select {
		case reason := <-r.odd:
			if now := r.cfg.Now(); last.IsZero() || now.Sub(last) >= pause {
				last = now
				_, _ = r.write(reason) // it is counted and logged
			} else {
				r.skipped.Add(1)
			}
		case o := <-r.orders:
			path, err := r.write(o.reason)
			o.answer <- answer{path, err}
		case <-ctx.Done():
			return nil
		}
	}
}

// Odd says that something was, in a word that becomes part of the file's name. It never
// waits: within a minute of the last file nothing is written but a counter. A nil
// recorder ignores it.
func (r *Recorder) Odd(reason string) {
	if r == nil {
		return
	}
	select {
	case r.odd <- reason:
	default:
		r.skipped.Add(1)
	}
}

// Write writes a file because somebody asks for it, and returns its path.
func (r *Recorder) Write(ctx context.Context, reason string) (string, error) {
	if r == nil {
		return "", ErrOff
	}
	o := order{reason, make(chan answer, 1)}
	select {
	case r.orders <- o:
	case <-r.ended:
		return "", ErrOff
	case <-ctx.Done():
		return "", ctx.Err()
	}
	a := <-o.answer
	return a.path, a.err
}

// Stats are figures for metrics; nil without a recorder.
func (r *Recorder) Stats() *model.FlightStats {
	if r == nil {
		return nil
	}
	return &model.FlightStats{Written: r.written.Load(), Skipped: r.skipped.Load(), Failed: r.failed.Load()}
}

func (r *Recorder) write(reason string) (path string, err error) {
	path = filepath.Join(r.cfg.Dir, r.cfg.Now().UTC().Format("20060102T150405.000Z")+"-"+word(reason)+suffix)
	if err = r.save(path); err != nil {
		r.failed.Add(1)
		r.cfg.Logger.Warn("what the runtime did last cannot be kept", "file", path, "reason", reason, "error", err)
		return "", fmt.Errorf("keep what the runtime did last: %w", err)
	}
	r.written.Add(1)
	r.cfg.Logger.Warn("what the runtime did last is kept; 'go tool trace' shows it", "file", path, "reason", reason)
	return path, nil
}

// save writes the window under another name first, and makes room.
func (r *Recorder) save(path string) error {
	if err := os.MkdirAll(r.cfg.Dir, 0o700); err != nil {
		return err
	}
	part := path + ".part"
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = r.recorder.WriteTo(&limited{f, maxFile})
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(part))
	}
	return r.makeRoom()
}

// makeRoom removes the oldest files beyond the limit, and those that a crash left.
func (r *Recorder) makeRoom() error {
	entries, err := os.ReadDir(r.cfg.Dir)
	if err != nil {
		return err
	}
	var files []string
	for _, e := range entries {
		switch {
		case strings.HasSuffix(e.Name(), suffix+".part"):
			err = errors.Join(err, os.Remove(filepath.Join(r.cfg.Dir, e.Name())))
		case strings.HasSuffix(e.Name(), suffix):
			files = append(files, e.Name())
		}
	}
	slices.Sort(files)
	for _, name := range files[:max(0, len(files)-maxFiles)] {
		err = errors.Join(err, os.Remove(filepath.Join(r.cfg.Dir, name)))
	}
	return err
}

// word makes a part of a file's name.
func word(reason string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			return c
		}
		return '-'
	}, strings.ToLower(reason[:min(len(reason), 40)]))
}

// limited is a writer that refuses what is too much.
type limited struct {
	w    io.Writer
	left int
}

var errTooLong = errors.New("it is longer than a file may be")

func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.left {
		return 0, errTooLong
	}
	l.left -= len(p)
	return l.w.Write(p)
}
