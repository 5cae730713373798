/** An insect in a photograph, marked by eye: a point on its body and its length, in pixels of the photograph. */
export interface Reference {
  x: number;
  y: number;
  length: number;
}

/** A photograph with the insects marked on it; some of the smallest ones are left unmarked. */
export interface PhotographReference {
  file: string;
  insects: Reference[];
  /** How many of the marked insects must be found. */
  minFound: number;
  /** How many boxes there may be: unmarked insects and dirt of their size included. */
  maxBoxes: number;
}

/** Marked by looking at the photographs; insects that the detector misses are among them. `x y length` of each. */
export const PHOTOGRAPHS: PhotographReference[] = [
  {
    ...{ file: 'vermont_20220623043000-215-snapshot.jpg', minFound: 28, maxBoxes: 42 },
    insects: marked(`
      3809 205 369, 2376 683 287, 1092 642 287, 2266 724 123, 2531 909 96, 1057 1117 93, 1201 2075 137,
      3484 1666 96, 868 511 49, 2302 1128 41, 2955 1090 55, 1723 440 49, 3411 98 38, 3675 729 35, 328 674 30,
      505 565 30, 442 715 22, 571 715 25, 1554 511 25, 1647 505 22, 1696 1556 33, 2526 1455 38, 2813 1414 22,
      3192 1846 30, 3785 2097 30, 2616 800 22, 2553 986 22, 2933 1832 27, 3140 1139 27, 2976 164 25,
      2007 486 19, 1272 1933 27, 410 1748 928, 2081 1835 33
    `),
  },
  {
    ...{ file: 'denmark_20220810232637-00-16.jpg', minFound: 2, maxBoxes: 4 },
    insects: marked(`
      1793 1121 364, 1073 1495 90
    `),
  },
  {
    ...{ file: 'denmark_20220811005907-00-78.jpg', minFound: 13, maxBoxes: 20 },
    insects: marked(`
      527 21 63, 1023 158 90, 691 253 105, 2258 158 100, 372 533 111, 237 570 145, 691 986 111, 47 1108 111,
      1200 1385 396, 2168 1377 119, 849 2049 185, 2999 2110 63, 253 2142 47, 646 1287 37, 1617 1018 32,
      2395 177 32
    `),
  },
  {
    ...{ file: 'cyprus_84-20220916202959-snapshot.jpg', minFound: 10, maxBoxes: 16 },
    insects: marked(`
      830 696 153, 2365 961 137, 814 1139 169, 1966 1535 186, 958 1726 137, 3269 1611 150, 126 1010 104,
      1871 112 44, 2728 579 33, 584 576 27, 3080 1570 38
    `),
  },
  {
    ...{ file: 'panama_01-20231110214539-snapshot.jpg', minFound: 31, maxBoxes: 70 },
    insects: marked(`
      246 355 314, 579 68 355, 1466 464 197, 1709 415 104, 2182 456 279, 2859 565 142, 2993 710 306,
      3296 860 396, 3468 1106 423, 3796 1338 532, 511 1010 109, 765 1242 123, 841 1461 410, 2163 1092 306,
      1606 1425 259, 2438 1475 287, 1903 2034 377, 2053 1857 164, 3785 1835 246, 2709 2081 251, 568 2048 218,
      218 1352 229, 3099 115 104, 2348 1911 104, 240 1584 169, 710 1597 109, 412 1652 76, 847 1748 259,
      3452 593 60, 3902 2007 55, 1881 1092 49, 2679 1734 76, 3356 1611 35, 1813 300 35
    `),
  },
  {
    ...{ file: 'sequential_20220728232322-00-70.jpg', minFound: 12, maxBoxes: 28 },
    insects: marked(`
      937 743 235, 1537 934 317, 1671 511 175, 2731 833 322, 1729 1556 126, 786 1652 120, 814 874 93,
      2157 306 120, 1013 1111 76, 702 1434 126, 554 82 93, 2477 273 55, 3798 399 55
    `),
  },
  {
    ...{ file: 'sequential_20220728232652-00-74.jpg', minFound: 12, maxBoxes: 32 },
    insects: marked(`
      1120 150 240, 1570 896 344, 1671 511 175, 2763 847 284, 1729 1556 126, 784 1652 120, 855 789 82,
      2157 306 120, 1002 1120 76, 702 1434 126, 1587 1988 66, 2477 273 55, 3798 399 55
    `),
  },
  {
    ...{ file: 'vermont_20220622000459-108-snapshot.jpg', minFound: 17, maxBoxes: 34 },
    insects: marked(`
      1931 696 295, 2034 1652 273, 1169 1720 213, 2744 1578 197, 3372 396 287, 3523 41 137, 3282 98 104,
      3148 390 109, 3839 1180 109, 3544 1761 126, 661 2097 126, 197 2116 126, 1106 1297 123, 2458 2075 546,
      2922 2075 224, 847 1024 437, 1070 1079 224, 287 60 76, 382 1275 123, 1510 300 60, 1723 631 33, 453 188 33,
      1698 2081 44, 2570 879 27
    `),
  },
];

/** Things that a detector by contrast is tempted by. */
export const NOT_INSECTS: { file: string; what: string; points: [x: number, y: number][] }[] = [
  {
    file: 'cyprus_84-20220916202959-snapshot.jpg',
    what: 'six screw heads',
    points: [
      [1141, 776],
      [688, 942],
      [3034, 776],
      [3487, 939],
      [1139, 2135],
      [3047, 2135],
    ],
  },
  {
    file: 'vermont_20220623043000-215-snapshot.jpg',
    what: 'scale card and the frame',
    points: [
      [1715, 901],
      [1835, 901],
      [1972, 901],
      [4091, 587],
    ],
  },
  {
    file: 'vermont_20220622000459-108-snapshot.jpg',
    what: 'scale card and the frame',
    points: [
      [1715, 901],
      [1835, 901],
      [1972, 901],
      [4091, 587],
    ],
  },
  {
    file: 'denmark_20220810232637-00-16.jpg',
    what: 'stains and the time stamp',
    points: [
      [2469, 1416],
      [2608, 1556],
      [2566, 1648],
      [3798, 2149],
    ],
  },
];

function marked(insects: string): Reference[] {
  return insects.split(',').map((insect) => {
    const [x = NaN, y = NaN, length = NaN] = insect.trim().split(' ').map(Number);
    return { x, y, length };
  });
}
