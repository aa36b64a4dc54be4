package debian

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
)

func TestParseTargets(t *testing.T) {
	const uri, security = "http://mirror.example/debian/", "http://mirror.example/security/"
	tests := []struct {
		name, codename, targets string
		want                    Mirrors
		err                     error
	}{
		{"bookworm", "bookworm", uri + " bookworm\n" + uri + " bookworm-updates\n" + security + " bookworm-security\n",
			Mirrors{"bookworm", uri, security}, nil},
		{"by the suite's name", "trixie", uri + " stable\n" + security + " stable-security\n", Mirrors{"trixie", uri, security}, nil},
		{"others beside it", "bookworm", "http://other.example/ nodistro\n" + uri + " bookworm\n", Mirrors{"bookworm", uri, ""}, nil},
		{"no Debian", "jammy", "http://other.example/ nodistro\n", Mirrors{Codename: "jammy"}, ErrNoMirror},
		{"no sources", "bookworm", "", Mirrors{Codename: "bookworm"}, ErrNoMirror},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseTargets(test.codename, test.targets)
			if got != test.want || !errors.Is(err, test.err) {
				t.Errorf("got %+v, %v; want %+v, %v", got, err, test.want, test.err)
			}
		})
	}
	if _, err := (Mirrors{Main: uri}).uri("bookworm-security"); !errors.Is(err, ErrNoMirror) {
		t.Errorf("security suite without a security archive: %v", err)
	}
}

func TestParseCandidates(t *testing.T) {
	const stanzas = `Package: linux-image-6.1-cloud-amd64
Version: 6.1.192-2
Depends: linux-image-6.1.0-56-cloud-amd64 (= 6.1.192-2)

Package: linux-image-6.1.0-56-cloud-amd64
Version: 6.1.192-2
Depends: kmod, linux-base (>= 4.3~), initramfs-tools (>= 0.120+deb8u2) | linux-initramfs-tool

Package: linux-image-6.1.0-56-amd64
Version: 6.1.192-2

Package: linux-image-6.1.0-56-rt-amd64
Version: 6.1.192-2

Package: linux-image-6.1.0-56-arm64
Version: 6.1.192-2

Package: linux-image-6.12.95+deb12-cloud-amd64
Version: 6.12.95-1~bpo12+1

Package: linux-image-7.2.12+deb13-cloud-amd64
Version: 7.2.12-1~bpo13+1
Pre-Depends: linux-base (>= 4.17~)
Depends: dracut | linux-initramfs-tool, linux-base-7.2.12+deb13-cloud-amd64 (= 7.2.12-1~bpo13+1), linux-binary-7.2.12+deb13-cloud-amd64 (= 7.2.12-1~bpo13+1)
`
	tests := []struct {
		name string
		want string
	}{
		{"6.1-ordinary", "[[linux-image-6.1.0-56-amd64=6.1.192-2]]"},
		{"6.1-rt", "[[linux-image-6.1.0-56-rt-amd64=6.1.192-2]]"},
		{"6.1", "[[linux-image-6.1.0-56-cloud-amd64=6.1.192-2]]"},
		{"6.12", "[[linux-image-6.12.95+deb12-cloud-amd64=6.12.95-1~bpo12+1]]"},
		{"7.2", "[[linux-image-7.2.12+deb13-cloud-amd64=7.2.12-1~bpo13+1 linux-base-7.2.12+deb13-cloud-amd64=7.2.12-1~bpo13+1 linux-binary-7.2.12+deb13-cloud-amd64=7.2.12-1~bpo13+1]" +
			" [linux-image-7.2.12+deb13-cloud-amd64=7.2.12-1~bpo13+1 linux-binary-7.2.12+deb13-cloud-amd64=7.2.12-1~bpo13+1]]"},
	}
	for _, test := range tests {
		series, flavour, err := ParseName(test.name)
		if err != nil {
			t.Fatal(err)
		}
		found := parseCandidates(stanzas, Kernel{Series: series, Flavour: flavour, Arch: "amd64"})
		if len(found) != 1 || fmt.Sprint(found[0].fetches()) != test.want {
			t.Errorf("%s: found %+v", test.name, found)
		}
	}
}

func TestParsePlan(t *testing.T) {
	got := parsePlan(`Reading package lists...
Inst libaio1 (0.3.113-4 Debian:12.15/oldstable [amd64])
Inst qemu-system-common [1:7.2] (1:10.0.2+ds-2 Debian Backports:oldstable-backports [amd64]) []
Conf libaio1 (0.3.113-4 Debian:12.15/oldstable [amd64])
`)
	if want := []string{"libaio1=0.3.113-4", "qemu-system-common=1:10.0.2+ds-2"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCompare(t *testing.T) {
	for _, order := range [][2]string{{"6.1.9-1", "6.1.10-1"}, {"7.2.6-1~bpo13+1", "7.2.6-1"}} {
		if compare(t.Context(), order[0], order[1]) >= 0 || compare(t.Context(), order[1], order[0]) <= 0 {
			t.Errorf("%s is not before %s", order[0], order[1])
		}
	}
}
