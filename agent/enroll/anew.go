package enroll

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"cassini/model"
)

// Anew gets this machine, which has a copy of another one's certificate, a name and a
// certificate of its own, which take the copy's place. It can be called again when it failed:
// the key is kept before it is sent, and the manager knows it again. Errors wrap ErrInvalid or
// ErrRefused, or the cause.
func (m *Member) Anew(ctx context.Context, machine model.Machine) (host string, err error) {
	key, err := pendingKey(m.dir, copyFile)
	if err != nil {
		return "", err
	}
	defer m.ask.client.CloseIdleConnections()
	old := m.identity()
	got, _, err := m.ask.ask(ctx, question{path: "/api/v1/enroll/machine", host: old.Host, machine: machine}, key)
	if err != nil {
		return "", fmt.Errorf("get a certificate: %w", err)
	}
	id := got.identity(key, old.Authorities)
	if id.Host == old.Host || id.Name != old.Name {
		return "", fmt.Errorf("get a certificate: %w: it is for %s, and the copy is of %s", ErrInvalid, id.Host, old.Host)
	}
	if err := id.store(m.dir); err != nil {
		return "", err
	}
	return id.Host, os.Remove(filepath.Join(m.dir, copyFile))
}
