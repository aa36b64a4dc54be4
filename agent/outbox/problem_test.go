package outbox

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"cassini/model/delivery"
)

// TestTellsWhatCallsForSomebody fails for one reason after the other: what ends by itself is told when it
// begins, and what does not whenever it is another.
func TestTellsWhatCallsForSomebody(t *testing.T) {
	var said bytes.Buffer
	box, err := New(Config{Sink: &sink{}, Path: filepath.Join(t.TempDir(), "outbox.db"), Logger: slog.New(slog.NewTextHandler(&said, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer running(t, box)() // nothing waits, so that it delivers nothing
	away, shut := errors.New("connection refused"), fmt.Errorf("%w: 401", ErrShutOut)
	for n, step := range []struct {
		err  error
		told bool
	}{
		{away, true}, {away, false}, {shut, true}, {shut, false}, {away, false}, {shut, false},
		{fmt.Errorf("reach the manager: %w", x509.UnknownAuthorityError{}), true}, {fmt.Errorf("TLS: %w", x509.HostnameError{}), false}, {delivery.ErrVersion, true}, {away, false},
	} {
		said.Reset()
		if box.failed(step.err); strings.Contains(said.String(), "cannot deliver") != step.told {
			t.Errorf("step %d, %v: logged %q", n, step.err, &said)
		}
	}
	box.delivered(t.Context(), nil, nil)
	if box.failed(shut); !strings.Contains(said.String(), "401") {
		t.Error("it was told before it was connected, and not after")
	}
}
