//! How each country dials, as data: prefixes, lengths, emergency numbers, what costs a fortune, and where the sun stands.

use super::Number;

/// How one country dials.
#[derive(PartialEq, Eq, Debug)]
pub struct Country {
    /// ISO 3166 code: `US`.
    pub code: &'static str,
    /// The calling code: `1`.
    pub calling: &'static str,
    /// What stands before a national number.
    pub trunk: Option<&'static str>,
    /// What stands before it when it is handed to a trunk in national form.
    pub spoken_prefix: &'static str,
    /// What stands before a number abroad.
    pub international: &'static str,
    /// Digits of a national number without prefix: fewest and most.
    pub national: (usize, usize),
    /// The least first digit of such a number.
    pub first_digit: u8,
    /// Whether people dial it without any prefix.
    pub bare: bool,
    /// Emergency numbers, those for testing them too.
    pub emergency: &'static [&'static str],
    /// Short numbers of the public network that anybody may call: help lines, information.
    pub short: &'static [&'static str],
    /// Prefixes that cost extra.
    pub premium: &'static [&'static str],
    /// Prefixes that look like home and are billed as abroad.
    pub abroad: &'static [&'static str],
}

const EUROPE: Country = Country {
    code: "",
    calling: "",
    trunk: Some("0"),
    spoken_prefix: "0",
    international: "00",
    national: (5, 12),
    first_digit: b'1',
    bare: false,
    emergency: &["112"],
    short: &["116000", "116111", "116123"],
    premium: &[],
    abroad: &[],
};

const AMERICA: Country = Country {
    code: "US",
    calling: "1",
    trunk: Some("1"),
    spoken_prefix: "",
    international: "011",
    national: (10, 10),
    first_digit: b'2',
    bare: true,
    emergency: &["911", "933", "112"],
    short: &["211", "311", "511", "711", "811", "988"],
    premium: &["+1900", "+1976"],
    // The islands of the numbering plan: a call there looks like one at home, and is how fraud is paid.
    abroad: &[
        "+1242", "+1246", "+1264", "+1268", "+1284", "+1345", "+1441", "+1473", "+1649", "+1658", "+1664", "+1721", "+1758", "+1767",
        "+1784", "+1809", "+1829", "+1849", "+1868", "+1869", "+1876",
    ],
};

/// The countries that we know.
const COUNTRIES: &[Country] = &[
    AMERICA,
    Country { code: "CA", ..AMERICA },
    Country {
        code: "GB",
        calling: "44",
        national: (9, 10),
        emergency: &["999", "112"],
        premium: &["+449", "+44871", "+44872", "+44873"],
        short: &["101", "105", "111", "116123"],
        ..EUROPE
    },
    Country { code: "IE", calling: "353", national: (7, 10), emergency: &["112", "999"], premium: &["+35315"], ..EUROPE },
    Country {
        code: "DE",
        calling: "49",
        emergency: &["112", "110"],
        premium: &["+49900", "+49137"],
        short: &["116117", "116116", "115"],
        ..EUROPE
    },
    Country { code: "AT", calling: "43", emergency: &["112", "122", "133", "144"], premium: &["+43900", "+43930"], ..EUROPE },
    Country {
        code: "CH",
        calling: "41",
        national: (9, 9),
        emergency: &["112", "117", "118", "144"],
        premium: &["+41900", "+41901", "+41906"],
        ..EUROPE
    },
    Country { code: "FR", calling: "33", national: (9, 9), emergency: &["112", "15", "17", "18", "114"], premium: &["+3389"], ..EUROPE },
    Country { code: "NL", calling: "31", national: (9, 9), emergency: &["112"], premium: &["+31900", "+31906", "+31909"], ..EUROPE },
    Country {
        code: "BE",
        calling: "32",
        national: (8, 9),
        emergency: &["112", "100", "101"],
        premium: &["+32900", "+32902", "+32903", "+32904", "+32905"],
        ..EUROPE
    },
    Country {
        code: "ES",
        calling: "34",
        trunk: None,
        spoken_prefix: "",
        national: (9, 9),
        bare: true,
        emergency: &["112", "061", "062", "080", "091", "092"],
        premium: &["+34803", "+34806", "+34807"],
        ..EUROPE
    },
    Country {
        code: "PT",
        calling: "351",
        trunk: None,
        spoken_prefix: "",
        national: (9, 9),
        bare: true,
        emergency: &["112"],
        premium: &["+351601", "+351607"],
        ..EUROPE
    },
    // The leading 0 of an Italian number belongs to it.
    Country {
        code: "IT",
        calling: "39",
        trunk: None,
        spoken_prefix: "",
        first_digit: b'0',
        national: (8, 11),
        bare: true,
        emergency: &["112", "113", "115", "118"],
        premium: &["+39892", "+39899", "+3989"],
        ..EUROPE
    },
    Country {
        code: "PL",
        calling: "48",
        trunk: None,
        spoken_prefix: "",
        national: (9, 9),
        bare: true,
        emergency: &["112", "997", "998", "999"],
        premium: &["+4870"],
        ..EUROPE
    },
    Country { code: "SE", calling: "46", national: (7, 10), emergency: &["112"], premium: &["+46900", "+46939", "+46944"], ..EUROPE },
    Country {
        code: "AU",
        calling: "61",
        international: "0011",
        national: (9, 9),
        emergency: &["000", "106", "112"],
        premium: &["+6119"],
        short: &["131114"],
        ..EUROPE
    },
    Country {
        code: "NZ",
        calling: "64",
        national: (8, 10),
        emergency: &["111", "112"],
        premium: &["+64900"],
        short: &["105", "1737"],
        ..EUROPE
    },
];

/// Whom the clock of the called person probably belongs to, by the longest prefix. Numbers travel with people, so it is a likelihood; no rule asks
/// for more. Area codes of the North American Numbering Plan by zone; a code that lies in two zones stands in the one with more people.
const ZONES: &[(&str, &str)] = &[
    (
        "America/New_York",
        "201 202 203 207 212 215 216 220 223 227 229 231 234 239 240 248 252 260 267 269 272 276 283 301 302 304 305 313 315 317 321 324 326 329 330 332 336 339 347 351 352 363 380 386 401 404 407 410 412 413 419 423 434 436 440 443 445 463 470 472 475 478 484 502 508 513 516 517 518 540 551 561 567 570 571 574 582 585 586 603 606 607 609 610 614 616 617 624 631 640 645 646 656 667 678 679 680 681 686 689 703 704 706 716 717 718 724 727 728 732 734 740 743 754 757 762 765 770 771 772 774 781 786 802 803 804 810 812 813 814 821 826 828 835 838 839 843 845 848 854 856 857 859 860 862 863 864 865 878 904 906 908 910 912 914 917 919 929 930 934 937 941 943 947 948 954 959 973 978 980 984 989",
    ),
    (
        "America/Chicago",
        "205 210 214 217 218 219 224 225 228 235 251 254 256 262 270 274 281 308 309 312 314 316 318 319 320 325 327 331 334 337 346 353 361 364 402 405 409 414 417 430 432 447 448 464 469 479 501 504 507 512 515 531 534 539 557 563 572 573 580 601 605 608 612 615 618 620 621 629 630 636 641 651 659 660 662 682 701 708 712 713 715 726 730 731 737 763 769 773 779 785 806 815 816 817 830 832 847 850 861 870 872 901 903 913 918 920 924 931 936 938 940 945 952 956 972 975 979 985",
    ),
    ("America/Denver", "208 303 307 385 406 435 505 575 719 720 801 915 970 983 986"),
    ("America/Phoenix", "480 520 602 623 928"),
    (
        "America/Los_Angeles",
        "206 209 213 253 279 310 323 341 350 357 360 369 408 415 424 425 442 458 503 509 510 530 541 559 562 564 619 626 628 650 657 661 669 702 707 714 725 747 760 775 805 818 820 831 837 840 858 909 916 925 949 951 971",
    ),
    ("America/Anchorage", "907"),
    ("Pacific/Honolulu", "808"),
    ("America/Puerto_Rico", "787 939"),
    ("America/Toronto", "226 249 289 343 365 382 416 437 519 548 613 647 683 705 742 753 807 905 367 418 438 450 468 514 579 581 819 873"),
    ("America/Winnipeg", "204 431 584"),
    ("America/Regina", "306 474 639"),
    ("America/Edmonton", "368 403 587 780 825"),
    ("America/Vancouver", "236 250 257 604 672 778"),
    ("America/Halifax", "506 782 902"),
    ("America/St_Johns", "709 879"),
];

impl Country {
    /// The country with this ISO code, in either case.
    pub fn named(code: &str) -> Option<&'static Self> {
        COUNTRIES.iter().find(|country| country.code.eq_ignore_ascii_case(code))
    }

    /// The one that is meant where none is named.
    pub fn usual() -> &'static Self {
        &AMERICA
    }

    /// Every code, for a message.
    pub fn codes() -> String {
        COUNTRIES.iter().map(|country| country.code).collect::<Vec<_>>().join(", ")
    }

    /// Whether a call to `number` stays in the country.
    pub fn is_home(&self, number: &Number) -> bool {
        number.digits().starts_with(self.calling) && !self.abroad.iter().any(|prefix| number.as_str().starts_with(prefix))
    }

    /// The name of the time zone in which `number` probably is; none when the number does not say.
    pub fn zone_of(number: &Number) -> Option<&'static str> {
        let area = number.digits().strip_prefix('1')?.get(..3)?;
        ZONES.iter().find(|(_, areas)| areas.split(' ').any(|one| one == area)).map(|(zone, _)| *zone)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::base::civil::Zone;

    #[test]
    fn every_zone_exists_and_no_area_is_in_two() {
        let mut seen = BTreeSet::new();
        for (zone, areas) in ZONES {
            assert!(Zone::named(zone).is_ok(), "{zone}");
            for area in areas.split(' ') {
                assert!(area.len() == 3 && seen.insert(area), "{area}");
            }
        }
        assert_eq!(Country::zone_of(&Number::parse("+13105550142").unwrap()), Some("America/Los_Angeles"));
        assert_eq!(Country::zone_of(&Number::parse("+442071234567").unwrap()), None);
        assert_eq!(Country::zone_of(&Number::parse("+18005550142").unwrap()), None);
    }

    #[test]
    fn an_island_of_the_plan_is_not_home() {
        let home = Country::named("us").unwrap();
        assert!(home.is_home(&Number::parse("+13125550142").unwrap()));
        assert!(!home.is_home(&Number::parse("+18765550142").unwrap()));
        assert!(!home.is_home(&Number::parse("+442071234567").unwrap()));
        assert!(Country::named("XX").is_none());
    }
}
