package value

import "strings"

// ToLocation converts a geographic location to the text "latitude,longitude", in
// degrees with all digits. It accepts such a text, a list of the two numbers, or a map
// with the keys lat and lon (or lng, latitude, longitude). The result is NULL for other
// values, and for degrees out of range.
func ToLocation(v Value) Value {
	var latitude, longitude Value
	switch v.kind {
	case String:
		first, second, ok := strings.Cut(v.str, ",")
		if !ok {
			return Value{}
		}
		latitude, longitude = OfString(first), OfString(second)
	case List:
		if len(v.List()) != 2 {
			return Value{}
		}
		latitude, longitude = v.List()[0], v.List()[1]
	case Map:
		latitude, longitude = firstKey(v, "lat", "latitude"), firstKey(v, "lon", "lng", "longitude")
	}
	latitude, longitude = ToNumber(latitude), ToNumber(longitude)
	if !within(latitude, 90) || !within(longitude, 180) {
		return Value{}
	}
	return OfString(latitude.Text() + "," + longitude.Text())
}

func firstKey(m Value, keys ...string) Value {
	for _, k := range keys {
		if v := m.Lookup(k); !v.IsNull() {
			return v
		}
	}
	return Value{}
}

func within(degrees Value, limit int64) bool {
	return !degrees.IsNull() && Compare(degrees, OfInt(limit)) <= 0 && Compare(degrees, OfInt(-limit)) >= 0
}
