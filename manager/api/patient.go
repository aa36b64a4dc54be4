package api

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"
)

// errSlow says that a reader did nothing for too long.
var errSlow = errors.New("reader is too slow")

// patient is a writer to somebody who may take long, but not do nothing for long.
type patient struct {
	w       http.ResponseWriter
	control *http.ResponseController
	pause   time.Duration
	begun   bool
}

func newPatient(w http.ResponseWriter, pause time.Duration) *patient {
	return &patient{w: w, control: http.NewResponseController(w), pause: pause}
}

// Write implements io.Writer. Errors of a reader that is too slow wrap errSlow.
func (p *patient) Write(b []byte) (n int, err error) {
	p.begun = true
	err = p.within(func() error {
		n, err = p.w.Write(b)
		return err
	})
	return n, err
}

// Flush sends what was written, with the same errors.
func (p *patient) Flush() error { return p.within(p.control.Flush) }

// within does what takes no longer than a pause. There is no deadline when it is over: in
// HTTP/2 one that passes ends a stream even where nothing is being written.
func (p *patient) within(do func() error) error {
	begin := time.Now()
	if err := p.control.SetWriteDeadline(begin.Add(p.pause)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	err := do()
	_ = p.control.SetWriteDeadline(time.Time{})                                                 // as above
	if err != nil && (errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) >= p.pause) { // HTTP/2 only says that the stream is closed
		return fmt.Errorf("%w: %w", errSlow, err)
	}
	return err
}
