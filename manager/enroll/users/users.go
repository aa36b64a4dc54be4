package users

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"

	"cassini/manager/enroll/people"
)

const (
	hashSize = sha256.Size
	maxRight = 10_000 // passwords that are remembered as right
)

// Users are who has a password. They are safe for concurrent use.
type Users struct {
	all   map[string]user
	decoy []byte // a hash for names that there are not
	cost  int    // the highest

	mu    sync.Mutex
	right map[[hashSize]byte]struct{} // name, hash and password that were right
}

type user struct {
	hash  []byte
	grant people.Grant
}

// decoyPassword is random.
func decoyPassword() string { return rand.Text() }

// Has says whether there is a user of a name.
func (u *Users) Has(name string) bool {
	_, ok := u.all[name]
	return ok
}

// Check says what a user may do who gives a password. A right one is tried once and then
// remembered, so that only wrong ones cost. Errors wrap ErrWrong or ErrBusy.
func (u *Users) Check(tries *Tries, name, password, from string, now time.Time) (people.Grant, error) {
	known, is := u.all[name]
	hash := u.decoy
	if is {
		hash = known.hash
	}
	key := digest(name, string(hash), password)
	if is && u.remembers(key) {
		return known.grant, nil
	}
	end, err := tries.begin(from, now)
	if err != nil {
		return people.Grant{}, err
	}
	// bcrypt compares in constant time; of a password it takes 72 bytes and refuses more.
	right := is && u.remembers(key) // since it waited
	if !right {
		right = bcrypt.CompareHashAndPassword(hash, []byte(password)) == nil && is
	}
	end(!right)
	if !right {
		return people.Grant{}, ErrWrong
	}
	u.remember(key)
	return known.grant, nil
}

func (u *Users) remembers(key [hashSize]byte) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	_, right := u.right[key]
	return right
}

func (u *Users) remember(key [hashSize]byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.right) >= maxRight {
		clear(u.right)
	}
	u.right[key] = struct{}{}
}

// digest tells three texts, whatever is in them.
func digest(texts ...string) [hashSize]byte {
	all := ""
	for _, text := range texts {
		all += fmt.Sprintf("%d:%s", len(text), text)
	}
	return sha256.Sum256([]byte(all))
}
