package model

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
)

// Hash is of a document: the first 16 bytes of the SHA-256 of its package, its key and its
// body. The bytes of the body are those that the agent made, which nobody encodes anew on
// their way into the log. The time is not in it: what is known again is the same knowledge.
type Hash [16]byte

// HashOf is the hash of a document.
func HashOf(d Document) (h Hash) {
	sum := sha256.New()
	for _, part := range [][]byte{[]byte(d.Package), {0}, []byte(d.Key), {0}, d.Body} {
		_, _ = sum.Write(part) // never fails
	}
	copy(h[:], sum.Sum(nil))
	return h
}

// ErrHash says that a text is no Hash.
var ErrHash = errors.New("not a hash of 22 characters of base64")

var hashText = base64.RawURLEncoding.Strict()

// MarshalText implements encoding.TextMarshaler: 22 characters of base64 for URLs.
func (h Hash) MarshalText() ([]byte, error) { return hashText.AppendEncode(nil, h[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *Hash) UnmarshalText(text []byte) error {
	raw := make([]byte, hashText.DecodedLen(len(text)))
	n, err := hashText.Decode(raw, text)
	if err != nil || n != len(h) || len(text) != hashText.EncodedLen(n) { // line breaks are skipped
		return fmt.Errorf("%w: %.40q", ErrHash, text)
	}
	copy(h[:], raw)
	return nil
}

// DocumentHash is what one document of a host hashes to.
type DocumentHash struct {
	Package string `json:"package"`
	Key     string `json:"key,omitempty"`
	Hash    Hash   `json:"hash"`
}

// Digest is of a set of documents of one host, in whatever order: how many they are, and
// their hashes joined by exclusive or. It tells sets apart that differ by chance; an agent
// that wants to be wrong about its own documents can.
type Digest struct {
	Documents int  `json:"documents"`
	Sum       Hash `json:"sum"`
}

// Add takes a document in that is not in the set.
func (d *Digest) Add(h Hash) {
	d.Documents++
	subtle.XORBytes(d.Sum[:], d.Sum[:], h[:])
}

// Remove takes a document out that is in the set.
func (d *Digest) Remove(h Hash) {
	d.Documents--
	subtle.XORBytes(d.Sum[:], d.Sum[:], h[:])
}

// CompareRule numbers what is compared and how: the packages of Compared, and HashOf. It
// rises when one of them changes; sides of two rules compare nothing.
const CompareRule = 1

// compared are the packages of which an agent knows all documents of its host. Verdicts are
// not among them: they are told once, and the manager's to keep.
var compared = []string{
	PackageListeners, PackageDependencies, PackageIdentity, PackageOS, PackageNetConfig, PackageNeighbors,
	PackageSeen, PackageDHCP, PackageDHCPServers, PackageForwarding, PackageRoutes, PackageRules,
	PackageContainers, PackageNames, PackagePrograms, PackageTranslations,
}

// Compared says whether documents of a package are compared between agent and manager.
func Compared(pkg string) bool { return slices.Contains(compared, pkg) }

// Check goes with a batch: what the manager should have of the host once it has the batch.
type Check struct {
	Rule int `json:"rule"`
	Digest
	// Wanted says that the agent has a reason to believe that something is missing.
	Wanted bool `json:"wanted,omitempty"`
}
