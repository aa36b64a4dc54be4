package heartbeat

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"cassini/model"
)

// state is what is kept on disk. It holds keys: the file is for its owner alone.
type state struct {
	Host        string              `json:"host,omitempty"` // what the manager called this host; older files do not have it
	Incarnation model.Incarnation   `json:"incarnation"`
	Nonces      uint64              `json:"nonces"` // reserved up to here
	Sequence    uint64              `json:"sequence"`
	Joined      *model.Joined       `json:"joined,omitempty"`
	Assignments []*model.Assignment `json:"assignments,omitempty"`
}

// host is whose places the state has.
func (s state) host() string {
	if s.Host == "" && s.Joined != nil {
		return strings.TrimPrefix(string(s.Joined.Ring), string(model.ManagerRing("")))
	}
	return s.Host
}

// keeper writes the state. Its methods may be called concurrently.
type keeper struct {
	path string
	mu   sync.Mutex
	s    state
}

// openKeeper reads what an earlier life left. A file that cannot be read is put aside:
// the manager knows the incarnation, and tells the places again.
// Of what a host was given under another name, or perhaps another machine was, only its counts
// go on: these never fall.
func openKeeper(dir, host string, doubted bool) (*keeper, error) {
	k := &keeper{path: filepath.Join(dir, "rings.json")}
	raw, err := os.ReadFile(k.path)
	if errors.Is(err, fs.ErrNotExist) {
		k.s.Host = host
		return k, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the state of rings: %w", err)
	}
	if err := json.Unmarshal(raw, &k.s); err != nil {
		aside := k.path + ".damaged"
		if err := os.Rename(k.path, aside); err != nil {
			return nil, fmt.Errorf("put the damaged state of rings aside: %w", err)
		}
		k.s = state{Host: host}
		return k, fmt.Errorf("%w: it is kept as %s: %w", errDamaged, aside, err)
	}
	if k.s.host() != host || doubted {
		k.s.Joined, k.s.Assignments = nil, nil
	}
	k.s.Host = host
	return k, nil
}

var errDamaged = errors.New("the state of rings is damaged, and begins anew")

// read copies the state.
func (k *keeper) read() state {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.s
}

// change makes a change durable.
func (k *keeper) change(do func(*state)) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	do(&k.s)
	raw, err := json.Marshal(k.s)
	if err != nil {
		return fmt.Errorf("encode the state of rings: %w", err)
	}
	if err := replace(k.path, raw); err != nil {
		return fmt.Errorf("keep the state of rings: %w", err)
	}
	return nil
}

// replace writes a file so that at any moment the old or the new one is whole.
func replace(path string, raw []byte) error {
	next := path + ".new"
	err := write(next, raw)
	if err == nil {
		err = os.Rename(next, path)
	}
	if err != nil {
		_ = os.Remove(next) // it is of no use, and takes room on a full disk
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// write makes a new file durable. One that a crash has left is not used again: it may be
// open to others.
func write(path string, raw []byte) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	return errors.Join(err, f.Sync(), f.Close())
}
