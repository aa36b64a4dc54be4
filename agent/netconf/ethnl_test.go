package netconf

import (
	"errors"
	"reflect"
	"testing"

	"cassini/model"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// nest is an attribute that holds others.
func nest(kind int, inside ...*nl.RtAttr) *nl.RtAttr {
	a := nl.NewRtAttr(kind|unix.NLA_F_NESTED, nil)
	for _, i := range inside {
		a.AddChild(i)
	}
	return a
}

// said is an answer: struct genlmsghdr and attributes.
func said(attributes ...*nl.RtAttr) []byte {
	b := []byte{unix.ETHTOOL_MSG_LINKMODES_GET_REPLY, 1, 0, 0}
	for _, a := range attributes {
		b = append(b, a.Serialize()...)
	}
	return b
}

func oneBitOf(index uint32, name string, set bool) *nl.RtAttr {
	parts := []*nl.RtAttr{attr(unix.ETHTOOL_A_BITSET_BIT_INDEX, number(index)), attr(unix.ETHTOOL_A_BITSET_BIT_NAME, nl.ZeroTerminated(name))}
	if set {
		parts = append(parts, attr(unix.ETHTOOL_A_BITSET_BIT_VALUE, nil))
	}
	return nest(unix.ETHTOOL_A_BITSET_BITS_BIT, parts...)
}

func modesAnswer() []byte {
	return said(
		nest(unix.ETHTOOL_A_LINKMODES_HEADER, attr(unix.ETHTOOL_A_HEADER_DEV_INDEX, number(2))),
		attr(unix.ETHTOOL_A_LINKMODES_AUTONEG, []byte{1}),
		attr(unix.ETHTOOL_A_LINKMODES_SPEED, number(1000)),
		attr(unix.ETHTOOL_A_LINKMODES_DUPLEX, []byte{1}),
		nest(unix.ETHTOOL_A_LINKMODES_OURS, nest(unix.ETHTOOL_A_BITSET_BITS, oneBitOf(3, "100baseT/Full", false), oneBitOf(5, "1000baseT/Full", true))),
		nest(unix.ETHTOOL_A_LINKMODES_PEER, attr(unix.ETHTOOL_A_BITSET_NOMASK, nil), nest(unix.ETHTOOL_A_BITSET_BITS, oneBitOf(5, "1000baseT/Full", false))),
	)
}

func wakeAnswer() []byte {
	return said(nest(unix.ETHTOOL_A_WOL_MODES, nest(unix.ETHTOOL_A_BITSET_BITS, oneBitOf(0, "phy", false), oneBitOf(5, "magic", true), oneBitOf(1<<31, "beyond", true))))
}

func TestAnswersOfDrivers(t *testing.T) {
	var s settings
	for what, c := range map[string]struct {
		q question
		b []byte
	}{
		"link modes": {linkModes, modesAnswer()},
		"link info":  {linkInfo, said(attr(unix.ETHTOOL_A_LINKINFO_PORT, []byte{3}))},
		"rings":      {rings, said(attr(unix.ETHTOOL_A_RINGS_RX, number(256)), attr(unix.ETHTOOL_A_RINGS_RX_MAX, number(4096)), attr(unix.ETHTOOL_A_RINGS_TX, number(128)))},
		"pause":      {pause, said(attr(unix.ETHTOOL_A_PAUSE_AUTONEG, []byte{1}), attr(unix.ETHTOOL_A_PAUSE_TX, []byte{1}))},
		"wake":       {wake, wakeAnswer()},
	} {
		if err := parseAnswer(c.b, c.q, &s); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	want := settings{
		speed: 1000, duplex: "full", autonegotiation: true, port: "fibre", wake: "g",
		modes: &model.LinkModes{Supported: []string{"100baseT/Full", "1000baseT/Full"}, Advertised: []string{"1000baseT/Full"}, Peer: []string{"1000baseT/Full"}},
		ring:  &model.RingSizes{RX: 256, RXMax: 4096, TX: 128},
		pause: &model.Pause{Autonegotiation: true, TX: true},
	}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("%+v, want %+v", s, want)
	}
	unknown := settings{}
	if err := parseAnswer(said(attr(unix.ETHTOOL_A_LINKMODES_SPEED, number(0xffffffff)), attr(unix.ETHTOOL_A_LINKMODES_DUPLEX, []byte{255})), linkModes, &unknown); err != nil || !reflect.DeepEqual(unknown, settings{}) {
		t.Errorf("%+v, %v", unknown, err)
	}
}

func TestNotices(t *testing.T) {
	if index, err := parseNotice(modesAnswer()); index != 2 || err != nil {
		t.Errorf("%d, %v", index, err)
	}
	for what, b := range map[string][]byte{"nothing": nil, "no header": said(), "a header of no link": said(nest(unix.ETHTOOL_A_LINKMODES_HEADER))} {
		if _, err := parseNotice(b); !errors.Is(err, errMalformed) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func FuzzEthtool(f *testing.F) {
	f.Add(modesAnswer())
	f.Add(wakeAnswer())
	f.Add(said(attr(unix.ETHTOOL_A_RINGS_RX, number(256))))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s settings
		for _, q := range []question{linkModes, linkInfo, rings, pause, wake} {
			if err := parseAnswer(b, q, &s); err != nil && !errors.Is(err, errMalformed) {
				t.Errorf("error is %v", err)
			}
		}
		if _, err := parseNotice(b); err != nil && !errors.Is(err, errMalformed) {
			t.Errorf("error is %v", err)
		}
		if s.modes != nil && len(s.modes.Supported) > maxBits {
			t.Errorf("%d modes", len(s.modes.Supported))
		}
	})
}
